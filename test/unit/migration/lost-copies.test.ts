import { beforeEach, expect, test } from 'vitest';
import { AssetFailure } from '../../../src/asset/failure.ts';
import type { StoredCopy } from '../../../src/asset/record.ts';
import { assetKeyOf, assetOf } from '../../../src/delivery/asset-of.ts';
import { LostCopies, type LostCopyReport } from '../../../src/migration/lost-copies.ts';
import { mappingOf } from '../../support/mapping.ts';

const mapping = mappingOf();
const asset = assetOf(mapping, assetKeyOf(mapping, `${mapping.prefix}a.jpg`, ''));
const copy = { publicId: 'site/a', resourceType: 'image', deliveryType: 'upload', version: 1 } as StoredCopy;

let says: () => Promise<unknown>;
let asked: unknown[];
let madeAgain: number;
let verdicts: LostCopyReport['verdict'][];
let lostCopies: LostCopies;

beforeEach(() => {
  asked = [];
  madeAgain = 0;
  verdicts = [];
  lostCopies = new LostCopies({
    describe: (identity) => {
      asked.push(identity);
      return says();
    },
    makeAgain: async () => {
      madeAgain += 1;
      return undefined;
    },
    observe: ({ verdict }) => verdicts.push(verdict),
  });
});

test('a copy that the store does not know either is made again', async () => {
  says = async () => undefined;
  await lostCopies.report(asset, copy);
  expect([verdicts, madeAgain]).toEqual([['gone'], 1]);
  expect(asked).toEqual([{ publicId: 'site/a', resourceType: 'image', deliveryType: 'upload' }]);
});

test('one that the store has is kept, and the store is not asked again at once', async () => {
  says = async () => ({ publicId: 'site/a' });
  for (let time = 0; time < 5; time += 1) await lostCopies.report(asset, copy);
  expect([verdicts, madeAgain, asked.length]).toEqual([['there'], 0, 1]);
});

test('a store that does not answer takes no copy away', async () => {
  says = () => Promise.reject(new AssetFailure('store-rate-limited', { detail: 'too many' }));
  await lostCopies.report(asset, copy);
  expect([verdicts, madeAgain]).toEqual([['unknown'], 0]);
});

test('where the account may not ask, the word of its delivery counts', async () => {
  says = () => Promise.reject(new AssetFailure('store-auth', { detail: 'no secret' }));
  await lostCopies.report(asset, copy);
  expect([verdicts, madeAgain]).toEqual([['gone'], 1]);
});

test('reports of one copy at a time cost one question and one upload', async () => {
  const answered = Promise.withResolvers<undefined>();
  says = () => answered.promise;
  const reports = Array.from({ length: 50 }, () => lostCopies.report(asset, copy));
  answered.resolve(undefined);
  await Promise.all(reports);
  expect([asked.length, madeAgain]).toEqual([1, 1]);
});
