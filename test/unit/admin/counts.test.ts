import { describe, expect, test } from 'vitest';
import { countMatches } from '../../../src/admin/api/count-matches.ts';
import { countFailures } from '../../../src/admin/api/failure-counts.ts';
import type { Reason } from '../../../src/asset/reason.ts';
import type { AssetRecord } from '../../../src/asset/record.ts';
import type { LedgerPage, LedgerQuery } from '../../../src/ledger/ledger.ts';

/** A ledger with so many failures: every third is a timeout. Pages are as large as they are asked for. */
function ledgerWith(failures: number) {
  const asked: LedgerQuery[] = [];
  const record = (number: number): AssetRecord => {
    const reason: Reason = number % 3 === 0 ? 'origin-timeout' : 'origin-not-found';
    return {
      key: { mapping: '/images/', path: `${number}.jpg`, query: '' },
      originUrl: `https://www.example.com/${number}.jpg`,
      state: 'failed',
      failure: { reason, detail: '', attempts: 1, retryAt: 0 },
      createdAt: 0,
      updatedAt: 0,
    };
  };
  return {
    asked,
    async query(query: LedgerQuery): Promise<LedgerPage> {
      asked.push(query);
      const from = Number(query.after ?? 0);
      const until = Math.min(failures, from + (query.limit ?? 100));
      const records = Array.from({ length: until - from }, (_, index) => record(from + index));
      return { records, ...(until < failures && { next: String(until) }) };
    },
  };
}

test('failures by reason are added up over all mappings, the most frequent first', () => {
  const states = { known: 0, claimed: 0, stored: 0, verified: 0, failed: 0, missing: 0, tombstoned: 0 };
  const counts = countFailures([
    { mapping: '/files/', states, failures: { 'origin-timeout': 2 }, storedBytes: 0 },
    { mapping: '/images/', states, failures: { 'origin-timeout': 832, 'origin-not-found': 1_666_000 }, storedBytes: 0 },
  ]);
  expect(counts.map(({ reason, count }) => [reason, count])).toEqual([
    ['origin-not-found', 1_666_000],
    ['origin-timeout', 834],
  ]);
});

describe('what a filter finds', () => {
  test('is counted exactly up to ten thousand, and beyond as at least that many', async () => {
    expect(await countMatches(ledgerWith(10_000), {})).toEqual({ count: 10_000, complete: true });
    expect(await countMatches(ledgerWith(10_001), {})).toEqual({ count: 10_000, complete: false });
    expect(await countMatches(ledgerWith(0), {})).toEqual({ count: 0, complete: true });
  });

  test('is counted within the filter', async () => {
    const ledger = ledgerWith(1_500);
    await countMatches(ledger, { mapping: '/images/', pathPrefix: 'a' });
    expect(ledger.asked).toEqual([
      { mapping: '/images/', pathPrefix: 'a', limit: 1_000 },
      { mapping: '/images/', pathPrefix: 'a', limit: 1_000, after: '1000' },
    ]);
  });
});
