import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { expect, test } from 'vitest';
import { startChaosOrigin } from '../../support/chaos-origin.ts';
import { type LazyferryProcess, startLazyferry } from '../../support/lazyferry-process.ts';
import { proxyConfig, temporaryFolder } from '../../support/proxy-config.ts';
import { startRecordingStore } from '../../support/recording-store.ts';
import { startRedis } from '../../support/redis-server.ts';

const photo = readFileSync(join(import.meta.dirname, '../../../sample/media/photos/lake.jpg'));

test('200 clients of one cold asset, over two processes and one Redis, all get its bytes and cause one upload', async () => {
  await using origin = await startChaosOrigin();
  origin.put('/img/lake.jpg', photo);
  await using store = await startRecordingStore(temporaryFolder());
  const redis = await startRedis();
  const config = proxyConfig({
    store: { uploadPrefix: store.url, deliveryPrefix: store.url },
    ledger: { url: redis.url },
    mappings: [{ prefix: '/img/', origin: `${origin.url}/img/`, network: { allowPrivate: true } }],
  });
  const start = () => startLazyferry({ args: ['--config', config], environment: { CLOUDINARY_URL: store.account } });
  const fleet = await Promise.all([start(), start()]);
  await using _one = fleet[0];
  await using _other = fleet[1];
  // The body takes a few seconds, so that all of them ask while it arrives; and nothing is stored before every client
  // has been answered: each of them is a cold one.
  origin.set('/img/lake.jpg', { kind: 'drip', bytes: 1024, everyMs: 60 });
  const answered = Promise.withResolvers<void>();
  store.intervene(() => ({ kind: 'hold', until: answered.promise }));

  const answers = await getAll(fleet, '/img/lake.jpg', 200);
  answered.resolve();
  expect(answers.every(({ status, body }) => status === 200 && body.equals(photo))).toBe(true);

  await Promise.race(fleet.map((process) => process.logged(({ event }) => event === 'stored')));
  for (const process of fleet) await redirected(process, '/img/lake.jpg');
  expect(store.uploads).toEqual([{ publicId: 'img/lake_jpg', answer: { status: 200, existing: false } }]);
  expect(origin.bodyReads('/img/lake.jpg')).toBeLessThanOrEqual(fleet.length + 1);
  await redis.stop();
});

test('100 clients of one cold asset over the workers of one machine cause one upload, with no Redis at all', async () => {
  await using origin = await startChaosOrigin();
  origin.put('/img/lake.jpg', photo);
  await using store = await startRecordingStore(temporaryFolder());
  const config = proxyConfig({
    store: { uploadPrefix: store.url, deliveryPrefix: store.url },
    mappings: [{ prefix: '/img/', origin: `${origin.url}/img/`, network: { allowPrivate: true } }],
  });
  await using proxy = await startLazyferry({
    args: ['--config', config, '--workers', '3'],
    environment: { CLOUDINARY_URL: store.account },
  });
  const answered = Promise.withResolvers<void>();
  store.intervene(() => ({ kind: 'hold', until: answered.promise }));

  const answers = await getAll([proxy], '/img/lake.jpg', 100);
  answered.resolve();
  expect(answers.every(({ status, body }) => status === 200 && body.equals(photo))).toBe(true);

  await proxy.logged(({ event }) => event === 'stored');
  await redirected(proxy, '/img/lake.jpg');
  expect(store.uploads).toEqual([{ publicId: 'img/lake_jpg', answer: { status: 200, existing: false } }]);
  expect(await proxy.terminate()).toEqual({ code: 0, signal: null });
});

/** Asks `count` times at once, by a connection each, over all processes in turn. */
async function getAll(fleet: readonly LazyferryProcess[], path: string, count: number) {
  const agent = new Agent({ connections: count, allowH2: false });
  try {
    return await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const { statusCode, body } = await request(`${fleet[index % fleet.length]?.delivery}${path}`, {
          dispatcher: agent,
        });
        return { status: statusCode, body: Buffer.from(await body.arrayBuffer()) };
      }),
    );
  } finally {
    await agent.close();
  }
}

/** Asks until the answer leads to the store: news of a copy takes a moment to each process. */
async function redirected(process: LazyferryProcess, path: string): Promise<void> {
  await expect
    .poll(async () => {
      const { statusCode, body } = await request(`${process.delivery}${path}`);
      await body.dump();
      return statusCode;
    })
    .toBe(302);
}
