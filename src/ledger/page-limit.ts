import type { LedgerQuery } from './ledger.ts';

/** How many records a page of this query may hold: 100 unless told, 1 to 1,000. */
export function pageLimit({ limit = 100 }: LedgerQuery): number {
  return Math.min(Math.max(Math.trunc(limit), 1), 1_000);
}
