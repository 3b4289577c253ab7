import { describe, expect, test } from 'vitest';
import type { AssetRecord } from '../../../src/asset/record.ts';
import { type Cell, claimAsset, settleClaim, type Transition } from '../../../src/ledger/transitions.ts';
import { failedFor, keyOf, requestFor, storedAs } from '../../contract/ledger-samples.ts';

const nothing: Cell = { record: undefined, token: 0 };
const key = keyOf('a.jpg');

function apply<Answer>(cell: Cell, transition: Transition<Answer>, now: number): { cell: Cell; answer: Answer } {
  const { write, answer } = transition(cell, now);
  if (write === undefined) return { cell, answer };
  return { cell: write === 'drop' ? { record: undefined, token: cell.token } : write, answer };
}

function claimed(cell: Cell, now: number, leaseMs = 30_000) {
  const result = apply(cell, claimAsset(requestFor(key, { leaseMs })), now);
  if (result.answer.kind !== 'won') throw new Error(`expected to win, it was ${result.answer.kind}`);
  return { cell: result.cell, claim: result.answer.claim, resumed: result.answer.resumed };
}

function kindAt(cell: Cell, now: number): string {
  return claimAsset(requestFor(key))(cell, now).answer.kind;
}

describe('a claim', () => {
  test('carries the ledger time as its token, or one more than the token before', () => {
    const first = claimed(nothing, 1_000);
    expect(first.claim.token).toBe(1_000);
    const settled = apply(first.cell, settleClaim(first.claim, failedFor(0)), 1_000).cell;
    expect(claimed(settled, 1_000).claim.token).toBe(1_001);
  });

  test('has a greater token even when the clock was set back', () => {
    const first = claimed(nothing, 1_000_000);
    const settled = apply(first.cell, settleClaim(first.claim, failedFor(0)), 1_000_000).cell;
    expect(claimed(settled, 5_000).claim.token).toBe(1_000_001);
  });

  test('tells whether somebody may have uploaded the asset before', () => {
    const first = claimed(nothing, 1_000, 10);
    expect(first.resumed).toBe(false);
    expect(claimed(first.cell, 1_010).resumed).toBe(true);
    expect(claimed({ record: undefined, token: 77 }, 1_000).resumed).toBe(false);
  });

  test('holds to the very end of its lease', () => {
    const { cell } = claimed(nothing, 1_000, 100);
    expect(kindAt(cell, 1_099)).toBe('held');
    expect(kindAt(cell, 1_100)).toBe('won');
  });

  test('outlasts a clock set back by a little, and not for hours a clock set back by hours', () => {
    const { cell } = claimed(nothing, 10_000_000, 30_000);
    expect(kindAt(cell, 10_000_000 - 20_000)).toBe('held');
    expect(kindAt(cell, 10_000_000 - 3_600_000)).toBe('won');
  });
});

test('a settlement repeated after its asset was claimed anew is stale', () => {
  const first = claimed(nothing, 1_000);
  const settled = apply(first.cell, settleClaim(first.claim, failedFor(0)), 1_001).cell;
  const second = claimed(settled, 1_002);
  expect(apply(second.cell, settleClaim(first.claim, failedFor(0)), 1_003).answer).toBe('stale');
});

test('times of a settlement are by the ledger’s clock', () => {
  const { cell, claim } = claimed(nothing, 1_000);
  const { record } = apply(cell, settleClaim(claim, failedFor(500)), 2_000).cell as { record: AssetRecord };
  expect(record.failure?.retryAt).toBe(2_500);
  expect(record.updatedAt).toBe(2_000);
  const stored = apply(cell, settleClaim(claim, storedAs('a')), 3_000).cell;
  expect(stored.record?.copy?.storedAt).toBe(3_000);
});
