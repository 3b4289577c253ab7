import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AssetFailure } from '../../../src/asset/failure.ts';
import { encodeAssetKey } from '../../../src/asset/key.ts';
import type { AssetRecord } from '../../../src/asset/record.ts';
import type { Mapping } from '../../../src/config/schema.ts';
import { assetKeyOf, assetOf } from '../../../src/delivery/asset-of.ts';
import type { Settlement } from '../../../src/ledger/ledger.ts';
import { createAttempt } from '../../../src/migration/attempt.ts';
import type { AttemptContext } from '../../../src/migration/claimed.ts';
import { SourceChoice } from '../../../src/migration/source-choice.ts';
import { SharedReads } from '../../../src/origin/shared-read.ts';
import { mappingOf } from '../../support/mapping.ts';
import { type OriginScript, ScriptedOrigin } from '../../support/scripted-origin.ts';
import { ScriptedStore } from '../../support/scripted-store.ts';

/** A JPEG by its first bytes. */
const content = Buffer.concat([Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), Buffer.alloc(9_000, 7)]);
const md5 = createHash('md5').update(content).digest('hex');
const publicId = 'images/a_jpg';

let directory: string;
let reads: SharedReads;
let origin: ScriptedOrigin;
let store: ScriptedStore;
let now: number;
let sources: SourceChoice;
const rejections: unknown[] = [];
const onRejection = (reason: unknown) => rejections.push(reason);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lazyferry-attempt-'));
  reads = new SharedReads({ directory, memoryBytes: 1_000_000, maxBytes: 1_000_000 });
  origin = new ScriptedOrigin({ content });
  store = new ScriptedStore(() => origin.script.content);
  now = 1_000;
  sources = new SourceChoice(() => now);
  process.on('unhandledRejection', onRejection);
});

afterEach(async () => {
  await new Promise(setImmediate);
  process.off('unhandledRejection', onRejection);
  expect(rejections.splice(0)).toEqual([]);
  expect(reads.size).toBe(0);
  rmSync(directory, { recursive: true, force: true });
});

interface Case {
  readonly mapping?: Mapping | undefined;
  readonly context?: Partial<AttemptContext>;
}

async function attempt({ mapping = mappingOf(), context = {} }: Case = {}): Promise<Settlement> {
  const run = createAttempt({
    mappingOf: () => mapping,
    originOf: () => origin,
    reads,
    store,
    sources,
    random: () => 0,
  });
  const { signal } = new AbortController();
  const asset = assetIn(mapping);
  const record: AssetRecord = { key: asset.key, originUrl: '', state: 'claimed', createdAt: 0, updatedAt: 0 };
  return run(asset, { record, redo: undefined, resumed: false, signal, ...context });
}

const assetIn = (mapping: Mapping) => assetOf(mapping, assetKeyOf(mapping, '/images/a.jpg', ''));
const byBytes = () => mappingOf({ upload: { via: 'bytes' } });

function script(changes: Partial<OriginScript>): void {
  origin.script = { content, ...changes };
}

describe('who reads the origin', () => {
  test('is the store, by the remote URL, where it can', async () => {
    expect(await attempt()).toMatchObject({ state: 'stored', copy: { publicId, md5, proof: 'length' } });
    expect(store.uploads).toEqual([{ via: 'remote-url', publicId, overwrite: false }]);
    expect(origin.wholeReads).toBe(0);
  });

  test('is lazyferry where the store cannot load the URL, at once for ten minutes, then the store is asked again', async () => {
    const refuse = new AssetFailure('origin-denied', { detail: 'Error in loading' });
    store.remote = () => Promise.reject(refuse);
    expect(await attempt()).toMatchObject({ state: 'stored', copy: { proof: 'read' } });
    store.content.clear();
    now += 10 * 60_000 - 1;
    await attempt();
    store.content.clear();
    now += 1;
    await attempt();
    expect(store.uploads.map(({ via }) => via)).toEqual(['remote-url', 'bytes', 'bytes', 'remote-url', 'bytes']);
  });

  test('is never the store where the mapping has credentials', async () => {
    await attempt({ mapping: mappingOf({ auth: { kind: 'bearer', token: 'secret' } }) });
    expect(store.uploads.map(({ via }) => via)).toEqual(['bytes']);
  });

  test('stays the store with via: remote-url, whatever it says', async () => {
    store.remote = () => Promise.reject(new AssetFailure('origin-timeout', { detail: 'slow' }));
    const mapping = mappingOf({ upload: { via: 'remote-url' } });
    expect(await attempt({ mapping })).toMatchObject({ state: 'failed', reason: 'origin-timeout' });
    expect(origin.wholeReads).toBe(0);
  });

  test('does not change for trouble of the store’s own', async () => {
    store.intervene = () =>
      Promise.reject(new AssetFailure('store-rate-limited', { detail: '420', retryAfterMs: 5e6 }));
    expect(await attempt()).toMatchObject({ state: 'failed', reason: 'store-rate-limited', retryInMs: 5e6 });
    expect(store.uploads).toHaveLength(1);
  });

  test('with clients that are reading already is the same read, once in all', async () => {
    const mapping = byBytes();
    const asset = assetIn(mapping);
    const read = reads.join(encodeAssetKey(asset.key), (signal) => origin.open({ url: asset.originUrl, signal }));
    const release = read.hold();
    expect(await attempt({ mapping })).toMatchObject({ state: 'stored', copy: { proof: 'read' } });
    expect(origin.opened).toHaveLength(1);
    release();
  });
});

describe('a copy counts as stored', () => {
  test.each([
    ['by every byte, where we read them', {}, byBytes(), 'read'],
    ['by the digest that the origin states', { md5, ignoresRanges: true }, mappingOf(), 'digest'],
    ['by the length that the origin states', {}, mappingOf(), 'length'],
    ['by reading it, where the origin states nothing', { length: 'none' }, mappingOf(), 'read'],
  ] as const)('%s', async (_, changes, mapping, proof) => {
    script(changes);
    expect(await attempt({ mapping })).toMatchObject({ state: 'stored', copy: { md5, bytes: content.length, proof } });
  });

  test('that was there before, when it is the same', async () => {
    store.content.set(publicId, content);
    expect(await attempt({ mapping: byBytes() })).toMatchObject({ state: 'stored', copy: { proof: 'read' } });
  });

  test('after one upload more where the first was cut off', async () => {
    store.intervene = (_, time) => (time === 1 ? content.subarray(0, 100) : undefined);
    expect(await attempt()).toMatchObject({ state: 'stored', copy: { md5, proof: 'read' } });
    expect(store.uploads).toEqual([
      { via: 'remote-url', publicId, overwrite: false },
      { via: 'bytes', publicId, overwrite: true },
    ]);
  });

  test('never where it stays different, and it is not tried for ever', async () => {
    store.intervene = () => content.subarray(0, 100);
    expect(await attempt()).toMatchObject({ state: 'failed', reason: 'origin-truncated' });
    expect(store.uploads).toHaveLength(2);
  });

  test('never where the end of the connection alone marks the end of the body', async () => {
    script({ length: 'none', framed: false });
    expect(await attempt()).toMatchObject({ state: 'failed', reason: 'origin-truncated' });
    expect(await attempt({ mapping: byBytes(), context: { resumed: true } })).toMatchObject({ state: 'failed' });
  });

  test('never where the origin breaks off, and the reason is the origin’s', async () => {
    script({ breaks: new AssetFailure('origin-truncated', { detail: 'cut off after 9020 bytes' }), length: 20_000 });
    expect(await attempt({ mapping: byBytes() })).toMatchObject({ reason: 'origin-truncated', detail: /cut off/ });
    expect(store.content.size).toBe(0);
  });
});

describe('something else under the same public ID', () => {
  test('is never overwritten when it is not ours', async () => {
    store.content.set(publicId, Buffer.from('somebody’s picture'));
    expect(await attempt()).toMatchObject({ state: 'failed', reason: 'id-collision' });
    expect(String(store.content.get(publicId))).toBe('somebody’s picture');
  });

  test('is replaced when an earlier attempt may have left it', async () => {
    store.content.set(publicId, content.subarray(0, 10));
    expect(await attempt({ context: { resumed: true } })).toMatchObject({ state: 'stored', copy: { md5 } });
    expect(store.content.get(publicId)?.equals(content)).toBe(true);
  });

  test.each(['overwrite is configured', 'a refresh was asked for'])('is replaced when %s', async (why) => {
    store.content.set(publicId, Buffer.from('old'));
    const configured = why.startsWith('overwrite');
    const mapping = mappingOf({ upload: { overwrite: configured } });
    const settlement = await attempt({ mapping, context: configured ? {} : { redo: 'refresh' } });
    expect(settlement).toMatchObject({ state: 'stored', copy: { md5 } });
    expect(store.uploads).toEqual([{ via: 'remote-url', publicId, overwrite: true }]);
  });
});

describe('nothing is sent to the store', () => {
  test.each([
    ['a 404', { status: 404 }, 'missing', 'origin-not-found'],
    ['a 410', { status: 410 }, 'missing', 'origin-gone'],
    ['a 403', { status: 403 }, 'failed', 'origin-denied'],
    ['a 500', { status: 500 }, 'failed', 'origin-error'],
    ['an HTML page', { facts: { contentType: 'text/html' } }, 'failed', 'wrong-type'],
    ['a compressed body', { facts: { contentEncoding: 'gzip' } }, 'failed', 'wrong-type'],
    ['a body that is too long', { length: 3e9 }, 'failed', 'too-large'],
    ['silence', { fails: new AssetFailure('origin-timeout', { detail: 'silent' }) }, 'failed', 'origin-timeout'],
    ['a private address', { fails: new AssetFailure('origin-blocked', { detail: 'no' }) }, 'failed', 'origin-blocked'],
  ] as const)('for %s', async (_, changes, state, reason) => {
    script(changes);
    expect(await attempt()).toMatchObject({ state, reason });
    expect(store.uploads).toEqual([]);
  });
});

test.each(['remote-url', 'bytes'] as const)(
  'an object that turns out too large on the way (%s) is not stored',
  async (via) => {
    script({ length: 'none' });
    const mapping = mappingOf({ allow: { maxBytes: 5_000 }, upload: { via } });
    expect(await attempt({ mapping })).toMatchObject({ state: 'failed', reason: 'too-large' });
    expect(store.content.size).toBe(0);
  },
);

test('an asset whose mapping is gone fails without a request to anybody', async () => {
  const run = createAttempt({
    mappingOf: () => undefined,
    originOf: () => origin,
    reads,
    store,
    sources,
    random: () => 0,
  });
  const asset = assetIn(mappingOf());
  const record: AssetRecord = { key: asset.key, originUrl: '', state: 'claimed', createdAt: 0, updatedAt: 0 };
  const { signal } = new AbortController();
  const settlement = await run(asset, { record, redo: undefined, resumed: false, signal });
  expect(settlement).toMatchObject({ state: 'failed', reason: 'origin-blocked' });
  expect([origin.opened, store.uploads]).toEqual([[], []]);
});

test('a stop ends an attempt that waits for an origin in mid-body, also where clients share the read', async () => {
  const mapping = byBytes();
  const asset = assetIn(mapping);
  const going = Promise.withResolvers<void>();
  script({ stalls: going.promise });
  const read = reads.join(encodeAssetKey(asset.key), (signal) => origin.open({ url: asset.originUrl, signal }));
  const release = read.hold();
  const stop = new AbortController();
  const begun = Promise.withResolvers<undefined>();
  store.intervene = () => {
    begun.resolve(undefined);
    return undefined;
  };
  const ending = attempt({ mapping, context: { signal: stop.signal } });
  await begun.promise;
  stop.abort(new Error('stopping'));
  await expect(ending).rejects.toThrow('stopping');
  going.resolve();
  expect((await read.digest).bytes).toBe(content.length);
  release();
});
