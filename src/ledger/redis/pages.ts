import type { AssetRecord } from '../../asset/record.ts';
import type { LedgerPage, LedgerQuery } from '../ledger.ts';
import { pageLimit } from '../page-limit.ts';
import type { TallyLine } from '../tally-lines.ts';
import { reasonLetter, type StoredCell, stateLetter } from './cell-codec.ts';
import { type Entry, toEntries } from './entries.ts';
import { type Bucket, bucketCount, type Layout } from './layout.ts';
import type { RedisCommands } from './scripts.ts';
import { readTallies } from './tallies.ts';

/** How far one script walks at most: about a millisecond of the server's time. */
const stepsAtOnce = 500;

/** How far a reader has come. */
interface Mark {
  readonly bucket: number;
  readonly cursor: string;
  /** Within the step at `cursor`: what sorts up to this has been given. */
  readonly behind?: string;
}

export interface PageReader {
  readonly commands: RedisCommands;
  readonly layout: Layout;
  /** Undefined for a value that cannot be read. */
  decode(field: string, value: Buffer): StoredCell | undefined;
}

/**
 * One page, by HSCAN over the buckets: no second index that would double the memory. HSCAN promises that a field that
 * stays is given at least once, in no order, perhaps twice. A mark therefore names a cursor. One step may find more
 * than fits into the page (a small hash is one step): then it is sorted, cut, and the mark names the last one given;
 * the next page scans that one step again.
 *
 * @throws {TypeError} when `query.after` is not a mark of such pages
 */
export async function readPage(reader: PageReader, query: LedgerQuery): Promise<LedgerPage> {
  const limit = pageLimit(query);
  const records: AssetRecord[] = [];
  const from = query.after === undefined ? startOf(0) : readMark(query.after);
  const tallies = await readTallies(reader.commands, reader.layout);
  /** Skips buckets without anything of what is asked for. */
  const skipEmpty = (mark: Mark): Mark | undefined => {
    if (tallies[mark.bucket]?.some((line) => counts(line, query)) === true) return mark;
    const bucket = tallies.findIndex(
      (lines, index) => index > mark.bucket && lines.some((line) => counts(line, query)),
    );
    return bucket === -1 ? undefined : startOf(bucket);
  };
  let mark = skipEmpty(from);
  while (mark !== undefined && records.length < limit) {
    const { entries, next } = await scan(reader, query, mark, limit - records.length);
    for (const { field, value } of entries) {
      const cell = reader.decode(field, value);
      if (cell !== undefined) records.push(cell.record);
    }
    mark = skipEmpty(next);
  }
  return { records, ...(mark !== undefined && { next: writeMark(mark) }) };
}

function counts(line: TallyLine, query: LedgerQuery): boolean {
  return (
    'state' in line &&
    line.assets > 0 &&
    (query.mapping === undefined || query.mapping === line.mapping) &&
    (query.states === undefined || query.states.includes(line.state))
  );
}

async function scan(
  { commands, layout }: PageReader,
  query: LedgerQuery,
  { bucket, cursor, behind }: Mark,
  wanted: number,
): Promise<{ entries: Entry[]; next: Mark }> {
  const [before, after, parts] = await commands.scanCellsBuffer(
    (layout.buckets[bucket] as Bucket).assets,
    cursor,
    wanted,
    behind === undefined ? stepsAtOnce : 1,
    query.mapping ?? '',
    query.pathPrefix ?? '',
    query.states?.map(stateLetter).join('') ?? '',
    query.reasons?.map(reasonLetter).join('') ?? '',
  );
  const entries = toEntries(parts).filter(({ field }) => behind === undefined || field > behind);
  if (entries.length > wanted) {
    const fitting = entries.sort(byField).slice(0, wanted);
    const last = fitting.at(-1);
    return { entries: fitting, next: { bucket, cursor: before.toString(), ...(last && { behind: last.field }) } };
  }
  const next = after.toString();
  return { entries, next: next === '0' ? startOf(bucket + 1) : { bucket, cursor: next } };
}

function byField(a: Entry, b: Entry): number {
  if (a.field === b.field) return 0;
  return a.field < b.field ? -1 : 1;
}

function startOf(bucket: number): Mark {
  return { bucket, cursor: '0' };
}

function writeMark({ bucket, cursor, behind }: Mark): string {
  return behind === undefined ? `${bucket}:${cursor}` : `${bucket}:${cursor}:${behind}`;
}

function readMark(text: string): Mark {
  const match = /^(\d{1,3}):(\d+)(?::(.*))?$/.exec(text);
  const bucket = Number(match?.[1]);
  if (match === null || bucket >= bucketCount)
    throw new TypeError(`not a mark of this ledger: ${JSON.stringify(text)}`);
  return { bucket, cursor: match[2] ?? '0', ...(match[3] !== undefined && { behind: match[3] }) };
}
