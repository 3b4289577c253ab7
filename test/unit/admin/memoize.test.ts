import { expect, test } from 'vitest';
import { memoize } from '../../../src/admin/memoize.ts';

test('one question is asked for all who ask while its answer is fresh', async () => {
  let now = 0;
  let asked = 0;
  const ask = memoize(
    1_000,
    async () => {
      asked += 1;
      return asked;
    },
    () => now,
  );
  expect(await Promise.all([ask(), ask()])).toEqual([1, 1]);
  now = 999;
  expect(await ask()).toBe(1);
  now = 1_000;
  expect(await ask()).toBe(2);
});

test('an error is shared by those who wait for it, and asked again by the next', async () => {
  let broken = true;
  const ask = memoize(
    1_000,
    async () => {
      if (broken) throw new Error('down');
      return 'up';
    },
    () => 0,
  );
  await expect(Promise.all([ask(), ask()])).rejects.toThrow('down');
  broken = false;
  expect(await ask()).toBe('up');
});
