import { beforeEach, expect, test } from 'vitest';
import { encodeAssetKey } from '../../../src/asset/key.ts';
import type { StoredCopy } from '../../../src/asset/record.ts';
import { assetKeyOf, assetOf } from '../../../src/delivery/asset-of.ts';
import { CopyCheck, type CopyCheckResult } from '../../../src/delivery/copy-check.ts';
import { mappingOf } from '../../support/mapping.ts';

const day = 86_400_000;
const copy: StoredCopy = {
  publicId: 'site/a',
  resourceType: 'image',
  deliveryType: 'upload',
  version: 1,
  format: 'jpg',
  bytes: 1,
  md5: '0'.repeat(32),
  proof: 'read',
  storedAt: 0,
};

let now: number;
let answer: () => Promise<boolean>;
let asked: number;
let lost: string[];
let results: CopyCheckResult[];
let check: CopyCheck;

beforeEach(() => {
  now = day;
  answer = async () => true;
  asked = 0;
  lost = [];
  results = [];
  check = new CopyCheck({
    isDelivered: () => {
      asked += 1;
      return answer();
    },
    reportLost: async (asset) => lost.push(asset.key.path),
    observe: (result) => results.push(result),
    now: () => now,
  });
});

function redirect(path = 'a.jpg', changes: Partial<StoredCopy> = {}, copyCheck: string | null = '1d'): void {
  const mapping = mappingOf({ copyCheck });
  const asset = assetOf(mapping, assetKeyOf(mapping, `${mapping.prefix}${path}`, ''));
  check.redirected({ asset, id: encodeAssetKey(asset.key), mapping }, { ...copy, ...changes });
}

/** What was begun has come to its end. */
const over = () => new Promise((resolve) => setImmediate(resolve));

test('a copy is looked for once in the time, however often it is asked for', async () => {
  for (let time = 0; time < 10; time += 1) redirect();
  await over();
  expect([asked, results]).toEqual([1, ['delivered']]);
  now += day - 1;
  redirect();
  expect(asked).toBe(1);
  now += 1;
  redirect();
  expect(asked).toBe(2);
});

test('a new copy is not looked for before it is that old: the store’s delivery may be behind', () => {
  redirect('a.jpg', { storedAt: now - day + 1 });
  expect(asked).toBe(0);
  now += 1;
  redirect('a.jpg', { storedAt: now - day });
  expect(asked).toBe(1);
});

test('of many copies five a second are looked for, and the others when they are asked for again', () => {
  const all = () => {
    for (let index = 0; index < 12; index += 1) redirect(`${index}.jpg`);
  };
  all();
  expect(asked).toBe(5);
  now += 1_000;
  all();
  expect(asked).toBe(10);
  now += 1_000;
  all();
  expect(asked).toBe(12);
});

test('one that the store does not deliver is reported; a store that does not say reports nothing', async () => {
  answer = async () => false;
  redirect('gone.jpg');
  answer = () => Promise.reject(new Error('500'));
  redirect('unknown.jpg');
  await over();
  expect(lost).toEqual(['gone.jpg']);
  expect(results).toEqual(['not-delivered', 'unknown']);
});

test('a mapping may do without', () => {
  redirect('a.jpg', {}, null);
  expect(asked).toBe(0);
});
