import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { expect, test } from 'vitest';
import { startChaosOrigin } from '../../support/chaos-origin.ts';
import { type LazyferryProcess, startLazyferry } from '../../support/lazyferry-process.ts';
import { proxyConfig, temporaryFolder } from '../../support/proxy-config.ts';
import { type RecordingStore, startRecordingStore } from '../../support/recording-store.ts';

const photo = readFileSync(join(import.meta.dirname, '../../../sample/media/photos/lake.jpg'));
const stopped = { code: 0, signal: null };

interface Scene extends AsyncDisposable {
  readonly store: RecordingStore;
  start(): Promise<LazyferryProcess>;
}

/** An origin with one photo, a store, and a proxy that keeps its ledger when it dies. Leases are short, to be waited out. */
async function scene(upload: { via: 'remote-url' | 'bytes' } = { via: 'remote-url' }, grace = '20s'): Promise<Scene> {
  const origin = await startChaosOrigin();
  origin.put('/img/lake.jpg', photo);
  const store = await startRecordingStore(temporaryFolder());
  const dataDirectory = temporaryFolder();
  const config = proxyConfig({
    store: { uploadPrefix: store.url, deliveryPrefix: store.url },
    ledger: { lease: '1s' },
    shutdown: { grace },
    mappings: [{ prefix: '/img/', origin: `${origin.url}/img/`, upload, network: { allowPrivate: true } }],
  });
  return {
    store,
    start: () =>
      startLazyferry({ args: ['--config', config], dataDirectory, environment: { CLOUDINARY_URL: store.account } }),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await origin.close();
    },
  };
}

async function get(process: LazyferryProcess): Promise<{ status: number; body: Buffer; location: string | undefined }> {
  const { statusCode, headers, body } = await request(`${process.delivery}/img/lake.jpg`);
  const location = typeof headers.location === 'string' ? headers.location : undefined;
  return { status: statusCode, body: Buffer.from(await body.arrayBuffer()), location };
}

/** Asks until the copy is stored; every answer before that is the origin's, whole. */
async function untilStored(process: LazyferryProcess): Promise<string> {
  for (;;) {
    const { status, body, location } = await get(process);
    if (status === 302 && location !== undefined) return location;
    expect({ status, whole: body.equals(photo) }).toEqual({ status: 200, whole: true });
  }
}

async function expectCopy(location: string): Promise<void> {
  const { statusCode, body } = await request(location);
  expect(statusCode).toBe(200);
  expect(Buffer.from(await body.arrayBuffer()).equals(photo)).toBe(true);
}

test.each(['remote-url', 'bytes'] as const)(
  'killed in mid-upload (%s): nothing half is stored, and after a restart a request completes the asset',
  async (via) => {
    await using set = await scene({ via });
    const never = Promise.withResolvers<void>();
    set.store.intervene((_, time) => (time === 1 ? { kind: 'hold', until: never.promise } : undefined));
    {
      await using first = await set.start();
      expect((await get(first)).body.equals(photo)).toBe(true);
      await set.store.began(1);
      await first.kill();
    }
    await using second = await set.start();
    const location = await untilStored(second);
    await expectCopy(location);
    expect(set.store.uploads.filter(({ answer }) => answer !== undefined)).toEqual([
      { publicId: 'img/lake_jpg', answer: { status: 200, existing: false } },
    ]);
    never.resolve();
  },
);

test('killed between the store’s word and the settlement: the next attempt finds the copy, and there is one asset', async () => {
  await using set = await scene();
  const never = Promise.withResolvers<void>();
  set.store.intervene((_, time) => (time === 1 ? { kind: 'hold-answer', until: never.promise } : undefined));
  {
    await using first = await set.start();
    await get(first);
    await expect.poll(() => set.store.uploads[0]?.answer).toBeDefined();
    await first.kill();
  }
  await using second = await set.start();
  await expectCopy(await untilStored(second));
  expect(set.store.uploads.map(({ answer }) => answer)).toEqual([
    { status: 200, existing: false },
    { status: 200, existing: true },
  ]);
  never.resolve();
});

test('SIGTERM lets an upload under way finish: the next process finds the asset stored', async () => {
  await using set = await scene();
  const held = Promise.withResolvers<void>();
  set.store.intervene(() => ({ kind: 'hold', until: held.promise }));
  {
    await using first = await set.start();
    await get(first);
    await set.store.began(1);
    const exit = first.terminate();
    await first.logged(({ event }) => event === 'stopping');
    held.resolve();
    expect(await exit).toEqual(stopped);
  }
  await using second = await set.start();
  expect((await get(second)).status).toBe(302);
  expect(set.store.uploads.length).toBe(1);
});

test('SIGTERM gives an upload that takes too long back, so that the next process starts it at once', async () => {
  await using set = await scene({ via: 'remote-url' }, '200ms');
  const never = Promise.withResolvers<void>();
  set.store.intervene((_, time) => (time === 1 ? { kind: 'hold', until: never.promise } : undefined));
  {
    await using first = await set.start();
    await get(first);
    await set.store.began(1);
    expect(await first.terminate()).toEqual(stopped);
  }
  await using second = await set.start();
  await get(second);
  await second.logged(({ event }) => event === 'stored');
  await expectCopy(await untilStored(second));
  never.resolve();
});
