import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AssetFailure } from '../../../src/asset/failure.ts';
import { reasons } from '../../../src/asset/reason.ts';
import { settlementOf } from '../../../src/migration/policy.ts';

const reason = fc.constantFrom(...reasons);
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const attempts = fc.nat(1_000_000);
const day = 24 * 3_600_000;

function waitOf(...[why, tried, chance, retryAfterMs]: [(typeof reasons)[number], number, number, number?]): number {
  const details = { detail: 'seen', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  const settlement = settlementOf(new AssetFailure(why, details), tried, chance);
  if (settlement.state === 'stored') throw new Error('a failure is never stored');
  return settlement.retryInMs;
}

test('every wait is between eight seconds and a day, however often it was tried', () => {
  fc.assert(
    fc.property(reason, attempts, random, (why, tried, chance) => {
      const wait = waitOf(why, tried, chance);
      expect(Number.isSafeInteger(wait)).toBe(true);
      expect(wait).toBeGreaterThanOrEqual(8_000);
      expect(wait).toBeLessThanOrEqual(day);
    }),
  );
});

test('waits never shrink with the attempts, and chance takes a fifth of them at most', () => {
  fc.assert(
    fc.property(reason, attempts, random, (why, tried, chance) => {
      expect(waitOf(why, tried + 1, chance)).toBeGreaterThanOrEqual(waitOf(why, tried, chance));
      const longest = waitOf(why, tried, 0);
      expect(waitOf(why, tried, chance)).toBeLessThanOrEqual(longest);
      expect(waitOf(why, tried, chance)).toBeGreaterThanOrEqual(Math.floor(longest * 0.8));
    }),
  );
});

test('a wait that the other side asked for is kept, except where clients get a 404 all along', () => {
  fc.assert(
    fc.property(reason, attempts, random, fc.nat(7 * day), (why, tried, chance, asked) => {
      const isMissing = why === 'origin-not-found' || why === 'origin-gone';
      expect(waitOf(why, tried, chance, asked)).toBe(Math.max(isMissing ? 0 : asked, waitOf(why, tried, chance)));
    }),
  );
});

test('retries without a request end, those of a path that is denied soon', () => {
  const swept = (why: (typeof reasons)[number], tried: number) => {
    const settlement = settlementOf(new AssetFailure(why, { detail: 'seen' }), tried, 0);
    return settlement.state === 'failed' && settlement.sweep !== false;
  };
  for (const why of reasons) {
    expect(swept(why, 20)).toBe(false);
    if (swept(why, 0))
      expect(Array.from({ length: 20 }, (_, tried) => swept(why, tried)).indexOf(false)).toBeGreaterThan(1);
  }
  expect([0, 1, 2].map((tried) => swept('origin-denied', tried))).toEqual([true, true, false]);
  expect([0, 18, 19].map((tried) => swept('origin-timeout', tried))).toEqual([true, true, false]);
});
