import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AssetFailure } from '../../../src/asset/failure.ts';
import { assetKeyOf, assetOf } from '../../../src/delivery/asset-of.ts';
import { createAttempt } from '../../../src/migration/attempt.ts';
import { SourceChoice } from '../../../src/migration/source-choice.ts';
import { SharedReads } from '../../../src/origin/shared-read.ts';
import { mappingOf } from '../../support/mapping.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { ScriptedStore } from '../../support/scripted-store.ts';

const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex');
const large = Buffer.concat([jpeg, Buffer.alloc(8 << 20, 7)]);
const small = Buffer.concat([jpeg, Buffer.alloc(9_000, 7)]);
const publicId = 'images/a_jpg';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lazyferry-ask-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function attempt(content: Buffer, store: ScriptedStore, resumed = false) {
  const mapping = mappingOf({ upload: { via: 'bytes' } });
  const asset = assetOf(mapping, assetKeyOf(mapping, '/images/a.jpg', ''));
  const run = createAttempt({
    mappingOf: () => mapping,
    originOf: () => new ScriptedOrigin({ content }),
    reads: new SharedReads({ directory, memoryBytes: 1 << 20, maxBytes: 32 << 20 }),
    store,
    sources: new SourceChoice(() => 0),
    random: () => 0,
  });
  const record = { key: asset.key, originUrl: '', state: 'claimed', createdAt: 0, updatedAt: 0 } as const;
  return run(asset, { record, redo: undefined, resumed, signal: new AbortController().signal });
}

test('a large object that the store has already is not sent again', async () => {
  const store = new ScriptedStore(() => large);
  store.content.set(publicId, large);
  expect(await attempt(large, store)).toMatchObject({ state: 'stored', copy: { bytes: large.length } });
  expect(store.uploads).toEqual([]);
});

test('half a large object that an earlier attempt left behind is replaced, not believed', async () => {
  const store = new ScriptedStore(() => large);
  store.content.set(publicId, large.subarray(0, 5_000_000));
  expect(await attempt(large, store, true)).toMatchObject({ state: 'stored', copy: { bytes: large.length } });
  expect(store.uploads).toEqual([{ via: 'bytes', publicId, overwrite: true }]);
});

test('a large object that the store cannot be asked for is sent', async () => {
  const store = new ScriptedStore(() => large);
  vi.spyOn(store, 'describe').mockRejectedValue(new AssetFailure('store-rate-limited', { detail: 'used up' }));
  expect(await attempt(large, store)).toMatchObject({ state: 'stored' });
  expect(store.uploads).toHaveLength(1);
});

test('for a small object the upload is the question: the account’s Admin API is not asked', async () => {
  const store = new ScriptedStore(() => small);
  const asked = vi.spyOn(store, 'describe');
  expect(await attempt(small, store)).toMatchObject({ state: 'stored' });
  expect(asked).not.toHaveBeenCalled();
});
