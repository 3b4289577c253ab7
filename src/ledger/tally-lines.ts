import type { Reason } from '../asset/reason.ts';
import { type AssetRecord, type AssetState, assetStates } from '../asset/record.ts';
import type { LedgerTally } from './ledger.ts';

/** One line of the counts that a driver keeps. */
export type TallyLine =
  | { readonly mapping: string; readonly state: AssetState; readonly assets: number; readonly bytes: number }
  | { readonly mapping: string; readonly reason: Reason; readonly assets: number };

/** The reason that an asset is counted under; undefined unless it is failed or missing. */
export function countedReason({ state, failure }: AssetRecord): Reason | undefined {
  return state === 'failed' || state === 'missing' ? failure?.reason : undefined;
}

/** Adds up counts as drivers keep them to tallies in the order of the mappings, which are left out without any asset. */
export function addUp(lines: Iterable<TallyLine>): LedgerTally[] {
  const tallies = new Map<string, Addition>();
  for (const line of lines) {
    const tally = tallies.get(line.mapping) ?? { states: noAssets(), failures: {}, storedBytes: 0 };
    tallies.set(line.mapping, tally);
    if ('state' in line) {
      tally.states[line.state] += line.assets;
      tally.storedBytes += line.bytes;
    } else if (line.assets > 0) {
      tally.failures[line.reason] = (tally.failures[line.reason] ?? 0) + line.assets;
    }
  }
  return [...tallies]
    .filter(([, { states }]) => Object.values(states).some((assets) => assets > 0))
    .map(([mapping, tally]) => ({ mapping, ...tally }))
    .sort((a, b) => (a.mapping < b.mapping ? -1 : 1));
}

interface Addition {
  readonly states: Record<AssetState, number>;
  readonly failures: Partial<Record<Reason, number>>;
  storedBytes: number;
}

function noAssets(): Record<AssetState, number> {
  return Object.fromEntries(assetStates.map((state) => [state, 0])) as Record<AssetState, number>;
}
