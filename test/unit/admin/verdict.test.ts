import { expect, test } from 'vitest';
import { verdictOf } from '../../../src/admin/api/verdict.ts';
import type { AssetRecord } from '../../../src/asset/record.ts';
import { configSchema, type Mapping } from '../../../src/config/schema.ts';

function mapping(options: object): Mapping {
  const { mappings } = configSchema.parse({
    mappings: [{ prefix: '/images/', origin: 'https://www.example.com/', folder: 'images', ...options }],
  });
  const [first] = mappings;
  if (first === undefined) throw new Error('unreachable: the schema keeps the mapping');
  return { ...first, folder: first.folder ?? '' };
}

const record: AssetRecord = {
  key: { mapping: '/images/', path: 'a.jpg', query: '' },
  originUrl: 'https://www.example.com/a.jpg',
  state: 'failed',
  failure: { reason: 'origin-timeout', detail: 'no answer', attempts: 3, retryAt: 1_700_000_000_000 },
  createdAt: 0,
  updatedAt: 0,
};

test.each([
  ['passthrough', 'requests get the origin’s bytes'],
  ['wait', 'requests get the copy once it is made, or the origin’s bytes if that takes too long'],
  ['redirect', 'requests get a redirect to the origin'],
])('a failed asset is answered as the mapping’s cold: %s says, until the next attempt', (cold, words) => {
  expect(verdictOf(record, mapping({ cold }))).toBe(
    `3 attempts failed (origin-timeout): ${words}, and the next attempt comes with the first one after 2023-11-14T22:13:20.000Z.`,
  );
});

test('a refresh under way does not take the old copy out of service', () => {
  const copy = {
    resourceType: 'image',
    deliveryType: 'upload',
    publicId: 'a',
    version: 1,
    format: 'jpg',
    bytes: 1,
    md5: '',
    proof: 'read',
    storedAt: 0,
  } as const;
  const claimed: AssetRecord = {
    ...record,
    state: 'claimed',
    copy,
    claim: { owner: 'web-2', token: 1, leaseUntil: 0 },
  };
  expect(verdictOf(claimed, mapping({ warm: 'stream' }))).toBe(
    'A new version is being uploaded by web-2; until it is proven, requests get the stored copy’s bytes.',
  );
});
