import { expect, test } from 'vitest';
import { startChaosOrigin } from '../../support/chaos-origin.ts';
import { curl } from '../../support/command.ts';
import { type LazyferryProcess, startLazyferry } from '../../support/lazyferry-process.ts';
import { proxyConfig, temporaryFolder } from '../../support/proxy-config.ts';
import { startRecordingStore } from '../../support/recording-store.ts';
import { startRedis } from '../../support/redis-server.ts';

const picture = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(2_000, 'picture')]);
const names = ['a', 'b', 'c', 'd', 'e', 'f'];

async function stage() {
  const origin = await startChaosOrigin();
  for (const name of names) origin.put(`/files/${name}.jpg`, picture);
  const store = await startRecordingStore(temporaryFolder());
  const redis = await startRedis();
  const config = proxyConfig({
    store: { uploadPrefix: store.url, deliveryPrefix: store.url },
    ledger: { url: redis.url },
    mappings: [
      { prefix: '/files/', origin: `${origin.url}/files/`, resourceType: 'raw', network: { allowPrivate: true } },
    ],
  });
  return {
    origin,
    store,
    start: () => startLazyferry({ args: ['--config', config], environment: { CLOUDINARY_URL: store.account } }),
    async [Symbol.asyncDispose]() {
      await redis.stop();
      await store[Symbol.asyncDispose]();
      await origin.close();
    },
  };
}

async function served(process: LazyferryProcess, name: string): Promise<void> {
  const { status, body } = await curl(`${process.delivery}/files/${name}.jpg`);
  expect({ status, whole: body.equals(picture) }).toEqual({ status: 200, whole: true });
}

async function reasons(process: LazyferryProcess): Promise<string> {
  return String(JSON.parse((await curl(`${process.admin}/readyz`)).body.toString()).reasons);
}

async function untilStored(process: LazyferryProcess, name: string): Promise<void> {
  await expect
    .poll(async () => (await curl(`${process.delivery}/files/${name}.jpg`)).status, { timeout: 20_000, interval: 100 })
    .toBe(302);
}

test('a store that limits the rate of one process pauses the uploads of the whole fleet; no client notices', async () => {
  await using set = await stage();
  await using one = await set.start();
  await using other = await set.start();
  set.store.intervene((_, time) =>
    time === 1
      ? {
          kind: 'answer',
          status: 420,
          body: '{"error":{"message":"Rate Limit Exceeded"}}',
          headers: { 'retry-after': '8' },
        }
      : undefined,
  );
  await served(one, 'a');
  await expect.poll(() => reasons(one), { timeout: 10_000 }).toContain('the store limits the rate of uploads');
  for (const name of ['b', 'c']) await served(other, name);
  await expect.poll(() => reasons(other), { timeout: 10_000 }).toContain('the store limits the rate of uploads');
  expect(set.store.uploads.length).toBe(1);

  set.store.intervene(undefined);
  for (const name of ['b', 'c']) await untilStored(other, name);
});

test('a store that refuses our credentials is not asked for each asset; it all goes on by itself once it takes them', async () => {
  await using set = await stage();
  await using proxy = await set.start();
  set.store.intervene(() => ({ kind: 'answer', status: 401, body: '{"error":{"message":"Invalid Signature"}}' }));
  await served(proxy, 'a');
  await expect.poll(() => reasons(proxy), { timeout: 10_000 }).toContain('store');
  const asked = set.store.uploads.length;
  for (const name of names) await served(proxy, name);
  // At most a probe or two beside: the breaker is open.
  expect(set.store.uploads.length).toBeLessThanOrEqual(asked + 2);

  set.store.intervene(undefined);
  for (const name of names.slice(1)) await untilStored(proxy, name);
});
