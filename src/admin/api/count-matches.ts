import type { Ledger, LedgerQuery } from '../../ledger/ledger.ts';

const mostCounted = 10_000;
const pageSize = 1_000;

/** How many assets a filter finds. `complete: false`: at least that many. */
export async function countMatches(
  ledger: Pick<Ledger, 'query'>,
  filter: Omit<LedgerQuery, 'limit' | 'after'>,
): Promise<{ readonly count: number; readonly complete: boolean }> {
  let count = 0;
  let after: string | undefined;
  do {
    const page = await ledger.query({ ...filter, limit: pageSize, ...(after !== undefined && { after }) });
    count += page.records.length;
    after = page.next;
  } while (after !== undefined && count < mostCounted);
  return { count, complete: after === undefined };
}
