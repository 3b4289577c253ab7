import type { Reason } from '../../asset/reason.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { reasonHints } from './reason-hints.ts';

/** Assets looked at for one count: beyond it the count says that it is not complete. */
const mostLookedAt = 5_000;
const pageSize = 1_000;

export interface FailureCounts {
  readonly reasons: readonly { readonly reason: Reason; readonly count: number; readonly hint: string }[];
  /** False: there are more failed and missing assets than were looked at. */
  readonly complete: boolean;
}

/** Failed and missing assets by reason, the most frequent first. */
export async function countFailures(ledger: Pick<Ledger, 'query'>): Promise<FailureCounts> {
  const counts = new Map<Reason, number>();
  let after: string | undefined;
  let seen = 0;
  do {
    const page = await ledger.query({
      states: ['failed', 'missing'],
      limit: pageSize,
      ...(after !== undefined && { after }),
    });
    for (const { failure } of page.records) {
      if (failure !== undefined) counts.set(failure.reason, (counts.get(failure.reason) ?? 0) + 1);
    }
    seen += page.records.length;
    after = page.next;
  } while (after !== undefined && seen < mostLookedAt);
  const reasons = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => ({ reason, count, hint: reasonHints[reason] }));
  return { reasons, complete: after === undefined };
}
