import type { Reason } from '../../asset/reason.ts';
import type { LedgerTally } from '../../ledger/ledger.ts';
import { reasonHints } from './reason-hints.ts';

export interface FailureCount {
  readonly reason: Reason;
  readonly count: number;
  readonly hint: string;
}

/** Failed and missing assets of all mappings by reason, the most frequent first. */
export function countFailures(tallies: readonly LedgerTally[]): readonly FailureCount[] {
  const counts = new Map<Reason, number>();
  for (const { failures } of tallies) {
    for (const [reason, assets] of Object.entries(failures) as [Reason, number][]) {
      counts.set(reason, (counts.get(reason) ?? 0) + assets);
    }
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => ({ reason, count, hint: reasonHints[reason] }));
}
