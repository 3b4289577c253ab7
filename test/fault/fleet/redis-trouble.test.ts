import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ChaosOrigin, startChaosOrigin } from '../../support/chaos-origin.ts';
import { type LazyferryProcess, startLazyferry } from '../../support/lazyferry-process.ts';
import { PromiseOne } from '../../support/promise-one.ts';
import { proxyConfig } from '../../support/proxy-config.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';

const picture = readFileSync(join(import.meta.dirname, '../../../sample/media/graphics/spinner.gif'));
const wellAgain = /^$/;

let redis: RedisServer;
let origin: ChaosOrigin;
let proxy: LazyferryProcess;
let client: PromiseOne;

beforeAll(async () => {
  redis = await startRedis();
  origin = await startChaosOrigin();
  await redis.kill();
  // Its first seconds are without a Redis: down at start is the first trouble.
  proxy = await startLazyferry({
    args: [
      '--config',
      proxyConfig(
        {
          ledger: { url: redis.url, memoryTtl: '5m' },
          mappings: [{ prefix: '/img/', origin: `${origin.url}/img/`, network: { allowPrivate: true } }],
        },
        { keep: true },
      ),
    ],
  });
  client = new PromiseOne(origin, proxy, picture);
}, 60_000);

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await origin.close();
  await redis.stop();
});

test('Redis is down at start: clients get their pictures, readiness says so, and no restart is needed', async () => {
  expect(await client.expectRight(client.coldPath())).toBe(false);
  await client.expectAlive();
  await client.expectReadiness(/ledger cannot be reached/);
  await redis.restart();
  await client.expectUploads();
  await client.expectReadiness(wellAgain);
});

interface Trouble {
  readonly name: string;
  readonly begin: () => Promise<unknown>;
  readonly end: () => Promise<unknown>;
  /** What `/readyz` says meanwhile. */
  readonly says: RegExp;
}

const troubles: readonly Trouble[] = [
  { name: 'dies', begin: () => redis.kill(), end: () => redis.restart(), says: /ledger cannot be reached/ },
  {
    name: 'stands still',
    begin: async () => redis.pause(),
    end: async () => redis.resume(),
    says: /ledger cannot be reached/,
  },
  {
    name: 'is a read-only replica',
    begin: () => redis.client.replicaof('127.0.0.1', 1),
    end: () => redis.client.replicaof('NO', 'ONE'),
    says: /read-only replica|ledger cannot be reached/,
  },
  {
    name: 'is out of memory',
    begin: () => redis.client.config('SET', 'maxmemory', '1'),
    end: () => redis.client.config('SET', 'maxmemory', '0'),
    says: /out of memory: raise maxmemory/,
  },
  {
    name: 'wants another password',
    begin: async () => {
      await redis.client.config('SET', 'requirepass', 'changed');
      await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
    end: () => redis.client.config('SET', 'requirepass', ''),
    says: /ledger cannot be reached/,
  },
];

test.each(troubles)(
  'Redis $name: warm and cold clients get their pictures; uploads go on when it is well',
  {
    timeout: 60_000,
  },
  async ({ begin, end, says }) => {
    const warm = await client.expectUploads();
    await begin();
    try {
      expect(await client.expectRight(warm)).toBe(true);
      const slowest = await slowestOf(20, () => client.expectRight(client.coldPath()));
      // One unanswered question may cost the driver's timeout; no client pays it again.
      expect(slowest).toBeLessThan(3_000);
      await client.expectAlive();
      await client.expectReadiness(says);
      expect(await client.expectRight(warm)).toBe(true);
    } finally {
      await end();
    }
    await client.expectUploads();
    await client.expectReadiness(wellAgain);
  },
);

test('connections to Redis are cut again and again while uploads run: each picture is right, each upload is made', async () => {
  let cutting = true;
  const cutter = (async () => {
    while (cutting) await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  })();
  const paths = Array.from({ length: 30 }, () => client.coldPath());
  await Promise.all(paths.map((path) => client.expectRight(path)));
  cutting = false;
  await cutter;
  for (const path of paths) {
    await expect.poll(() => client.expectRight(path), { timeout: 40_000, interval: 100 }).toBe(true);
  }
}, 60_000);

async function slowestOf(times: number, ask: () => Promise<unknown>): Promise<number> {
  let slowest = 0;
  for (let time = 0; time < times; time += 1) {
    const startedAt = performance.now();
    await ask();
    slowest = Math.max(slowest, performance.now() - startedAt);
  }
  return slowest;
}
