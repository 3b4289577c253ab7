import type { AssetState } from '../asset/record.ts';
import type { Ledger } from './ledger.ts';

export interface CopyProgress {
  /** Records read so far; a ledger in Redis may give one twice. */
  readonly read: number;
  readonly written: number;
  /** In the target already, as they were then or later; or being uploaded there. */
  readonly kept: number;
  /** Where to go on: `after` of a later call. Absent when all pages were read. */
  readonly next?: string;
}

export interface CopyOptions {
  readonly from: Pick<Ledger, 'query' | 'tally'>;
  readonly to: Pick<Ledger, 'restore' | 'tally'>;
  /** `next` of a copy that was broken off. Without it everything is looked at again; nothing is harmed by that. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal;
  /** After each page. */
  readonly onProgress?: (progress: CopyProgress) => void;
}

/** A count that is smaller in the target than in the source. */
export interface CopyShortfall {
  readonly mapping: string;
  readonly what: 'assets' | AssetState | 'bytes';
  readonly from: number;
  readonly to: number;
}

const pageSize = 500;
/** Records on their way at a time: one round trip each. */
const abreast = 50;

/**
 * Brings every record of one ledger into another, page by page. Safe to repeat, and to run while the source is in use:
 * what changed meanwhile comes along with the next run. Only the signal ends it early.
 *
 * @throws {LedgerUnavailable} when either ledger is down; `onProgress` has told where to go on
 */
export async function copyLedger({ from, to, signal, onProgress, after }: CopyOptions): Promise<CopyProgress> {
  let progress: CopyProgress = { read: 0, written: 0, kept: 0, ...(after !== undefined && { next: after }) };
  do {
    const page = await from.query({ limit: pageSize, ...(progress.next !== undefined && { after: progress.next }) });
    let written = 0;
    for (let start = 0; start < page.records.length; start += abreast) {
      const restored = await Promise.all(
        page.records.slice(start, start + abreast).map((record) => to.restore(record)),
      );
      written += restored.filter(Boolean).length;
    }
    progress = {
      read: progress.read + page.records.length,
      written: progress.written + written,
      kept: progress.kept + page.records.length - written,
      ...(page.next !== undefined && { next: page.next }),
    };
    onProgress?.(progress);
  } while (progress.next !== undefined && signal?.aborted !== true);
  return progress;
}

/**
 * Compares the counts of both ledgers. What is settled in the source must be in the target, mapping by mapping; a claim
 * may have become `known`, so those only count among all assets. More than there was is no shortfall: the target may
 * have been in use before.
 */
export async function copyShortfalls({ from, to }: Pick<CopyOptions, 'from' | 'to'>): Promise<CopyShortfall[]> {
  const [before, after] = await Promise.all([from.tally(), to.tally()]);
  const compared: readonly AssetState[] = ['stored', 'verified', 'failed', 'missing', 'tombstoned'];
  return before.flatMap(({ mapping, states, storedBytes }) => {
    const copied = after.find((tally) => tally.mapping === mapping);
    const lines: CopyShortfall[] = [
      { mapping, what: 'assets', from: sum(states), to: copied === undefined ? 0 : sum(copied.states) },
      ...compared.map((state) => ({ mapping, what: state, from: states[state], to: copied?.states[state] ?? 0 })),
      { mapping, what: 'bytes', from: storedBytes, to: copied?.storedBytes ?? 0 },
    ];
    return lines.filter((line) => line.to < line.from);
  });
}

function sum(states: Readonly<Record<AssetState, number>>): number {
  return Object.values(states).reduce((total, assets) => total + assets, 0);
}
