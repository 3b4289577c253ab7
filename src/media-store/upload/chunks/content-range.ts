import { StoreError } from '../../store-error.ts';

/** Which part of the file a request brings (contract §3). */
export interface ChunkRange {
  readonly start: number;
  /** First byte after the chunk. */
  readonly end: number;
  /** Absent while the client does not know it: `-1` or `*`. */
  readonly total?: number;
}

/**
 * Reads `bytes 0-5242879/-1`.
 *
 * @throws {StoreError} 400
 */
export function parseContentRange(header: string): ChunkRange {
  const match = /^bytes\s+(\d{1,15})-(\d{1,15})\/(-1|\*|\d{1,15})$/.exec(header.trim());
  const [, first, last, total] = match ?? [];
  const start = Number(first);
  const end = Number(last) + 1;
  const known = total === '-1' || total === '*' ? undefined : Number(total);
  if (match === null || end <= start || (known !== undefined && end > known)) {
    throw new StoreError(400, `Invalid Content-Range - ${header.slice(0, 100)}`);
  }
  return known === undefined ? { start, end } : { start, end, total: known };
}

/** A stretch of the file that has arrived. */
export type Stretch = readonly [start: number, end: number];

/** Adds a stretch: sorted, disjoint, touching ones joined. */
export function addStretch(stretches: readonly Stretch[], added: Stretch): readonly Stretch[] {
  const joined: Stretch[] = [];
  for (const [start, end] of [...stretches, added].sort(([a], [b]) => a - b)) {
    const last = joined.at(-1);
    if (last !== undefined && start <= last[1]) joined[joined.length - 1] = [last[0], Math.max(last[1], end)];
    else joined.push([start, end]);
  }
  return joined;
}

export function coversAll(stretches: readonly Stretch[], total: number): boolean {
  const [only] = stretches;
  return stretches.length === 1 && only !== undefined && only[0] === 0 && only[1] === total;
}

export function bytesIn(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, [start, end]) => sum + end - start, 0);
}
