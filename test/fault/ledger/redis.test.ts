import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeAssetKey } from '../../../src/asset/key.ts';
import { type Ledger, type LedgerNews, LedgerUnavailable } from '../../../src/ledger/ledger.ts';
import { bucketOf, layoutOf } from '../../../src/ledger/redis/layout.ts';
import { openRedisLedger } from '../../../src/ledger/redis/redis-ledger.ts';
import { keyOf, requestFor, storedAs } from '../../contract/ledger-samples.ts';
import {
  type RedisServer,
  startRedis,
  startRedisCluster,
  startSentinelFleet,
  until,
} from '../../support/redis-server.ts';

const key = keyOf('a.jpg');
const open: Ledger[] = [];

function openLedger(url: string, warn: (message: string) => void = () => {}): Ledger {
  const ledger = openRedisLedger({ url, commandTimeoutMs: 300, connectTimeoutMs: 1_000, warn });
  open.push(ledger);
  return ledger;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((ledger) => ledger.close()));
});

async function answers(ledger: Ledger): Promise<boolean> {
  return ledger.claim(requestFor(keyOf('probe.jpg'))).then(
    () => true,
    (error: unknown) => {
      expect(error).toBeInstanceOf(LedgerUnavailable);
      return false;
    },
  );
}

async function win(ledger: Ledger, asset = key) {
  const result = await ledger.claim(requestFor(asset, { redo: 'refresh' }));
  if (result.kind !== 'won') throw new Error(`expected to win, it was ${result.kind}`);
  return result.claim;
}

/** Rejects with LedgerUnavailable, in a time no client would notice much of. */
async function expectUnavailable(step: () => Promise<unknown>, message: RegExp, withinMs = 900): Promise<void> {
  const began = performance.now();
  const error = await step().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LedgerUnavailable);
  expect(String(error)).toMatch(message);
  expect(performance.now() - began).toBeLessThan(withinMs);
}

describe('a single Redis', () => {
  let server: RedisServer;

  beforeEach(async () => {
    server = await startRedis();
  });
  afterEach(() => server.stop());

  test('that is down at start is an error of each call, and is used once it is up', async () => {
    await server.kill();
    const ledger = openLedger(server.url);
    await expectUnavailable(() => ledger.lookup(key), /cannot be reached/);
    await expectUnavailable(() => ledger.ping(), /cannot be reached/);
    await server.restart();
    await until(() => answers(ledger));
  });

  test('that dies and comes back empty grants greater tokens than before', async () => {
    const ledger = openLedger(server.url);
    const before = await win(ledger);
    await server.kill();
    await expectUnavailable(() => ledger.lookup(key), /cannot be reached/);
    await expectUnavailable(() => ledger.settle(before, storedAs('a')), /cannot be reached/);
    await server.restart();
    await until(() => answers(ledger));
    const after = await win(ledger);
    expect(after.token).toBeGreaterThan(before.token);
    expect(await ledger.settle(before, storedAs('a'))).toBe('stale');
    expect(await ledger.settle(after, storedAs('a'))).toBe('settled');
  });

  test('that stops answering costs one timeout, and is used again when it answers', async () => {
    const ledger = openLedger(server.url);
    await ledger.ping();
    server.pause();
    await expectUnavailable(() => ledger.lookup(key), /timed out|cannot be reached/);
    server.resume();
    await until(() => answers(ledger));
  });

  test('that was flushed has nothing stored, and whoever uploads meanwhile is stale', async () => {
    const ledger = openLedger(server.url);
    const claim = await win(ledger);
    await server.client.flushall();
    expect(await ledger.settle(claim, storedAs('a'))).toBe('stale');
    expect(await ledger.lookup(key)).toBeUndefined();
    expect((await win(ledger)).token).toBeGreaterThan(claim.token);
  });

  test('that lost the scripts is taught them again without anybody noticing', async () => {
    const ledger = openLedger(server.url);
    const claim = await win(ledger);
    await server.client.script('FLUSH');
    expect(await ledger.settle(claim, storedAs('a'))).toBe('settled');
  });

  test.each([
    ['out of memory', ['maxmemory', '1'], ['maxmemory', '0'], /OOM/],
    ['without its replicas', ['min-replicas-to-write', '1'], ['min-replicas-to-write', '0'], /too few replicas/],
  ] as const)('%s refuses claims, answers lookups, and recovers by itself', async (_name, broken, mended, message) => {
    const ledger = openLedger(server.url);
    await ledger.settle(await win(ledger), storedAs('a'));
    await server.client.config('SET', ...broken);
    await expectUnavailable(() => win(ledger, keyOf('b.jpg')), message);
    expect((await ledger.lookup(key))?.state).toBe('stored');
    await server.client.config('SET', ...mended);
    await win(ledger, keyOf('b.jpg'));
    expect(await ledger.tally()).toMatchObject([{ states: { stored: 1, claimed: 1 } }]);
  });

  test('that became a read-only replica is refused, and used again when it is a master', async () => {
    const ledger = openLedger(server.url);
    await ledger.ping();
    await server.client.replicaof('127.0.0.1', 1);
    await expectUnavailable(() => win(ledger), /read-only replica|cannot be reached|lost its master/);
    await server.client.replicaof('NO', 'ONE');
    await until(() => answers(ledger));
  });

  test('that is busy with a script is an error that says so', async () => {
    const ledger = openLedger(server.url);
    await ledger.ping();
    await server.client.config('SET', 'busy-reply-threshold', '1');
    const busy = server.client.duplicate();
    const running = busy.eval('while true do end', 0).catch(() => {});
    await until(async () =>
      ledger.lookup(key).then(
        () => false,
        (error: unknown) => /busy with a long script/.test(String(error)),
      ),
    );
    await server.client.script('KILL');
    await running;
    busy.disconnect();
    await until(() => answers(ledger));
  });

  test('that wants another password is an error that says so, without the password', async () => {
    await server.client.config('SET', 'requirepass', 'right');
    const warnings: string[] = [];
    const ledger = openLedger(server.url.replace('redis://', 'redis://:planted-secret@'), (said) =>
      warnings.push(said),
    );
    await expectUnavailable(() => ledger.lookup(key), /password|cannot be reached/);
    await until(async () => warnings.some((said) => /WRONGPASS/.test(said)));
    const error = await ledger.lookup(key).catch(String);
    expect(`${error} ${warnings.join(' ')}`).not.toContain('planted-secret');
    await server.client.config('SET', 'requirepass', 'planted-secret');
    await until(() => answers(ledger));
  });

  test('whose connections are cut in the middle of a race has one winner at most, and no claim without an owner for long', async () => {
    const ledgers = [openLedger(server.url), openLedger(server.url)];
    await Promise.all(ledgers.map((ledger) => ledger.ping()));
    for (let round = 0; round < 10; round += 1) {
      const raced = keyOf(`raced-${round}.jpg`);
      const race = Array.from({ length: 100 }, (_, index) =>
        (ledgers[index % 2] as Ledger)
          .claim(requestFor(raced, { owner: `racer ${index}`, leaseMs: 1 }))
          .catch(() => undefined),
      );
      await server.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      const tokens = (await Promise.all(race)).flatMap((result) =>
        result?.kind === 'won' ? [result.claim.token] : [],
      );
      expect(new Set(tokens).size).toBe(tokens.length);
      await until(async () => (await Promise.all(ledgers.map(answers))).every(Boolean));
      await until(async () => (await (ledgers[0] as Ledger).claim(requestFor(raced))).kind === 'won');
    }
  });

  test('that drops the news connection tells listeners that anything may have changed', async () => {
    const ledger = openLedger(server.url);
    const heard: LedgerNews[] = [];
    ledger.subscribe((news) => heard.push(news));
    await until(async () => heard.length === 1);
    await server.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(async () => heard.length === 2);
    expect(heard).toEqual([{}, {}]);
  });

  test('with a record that cannot be read treats it as missing and warns', async () => {
    const warnings: string[] = [];
    const ledger = openLedger(server.url, (said) => warnings.push(said));
    await ledger.settle(await win(ledger), storedAs('a'));
    const field = encodeAssetKey(key);
    await server.client.hset(bucketOf(layoutOf('lazyferry'), field).assets, field, 's-garbage');
    expect(await ledger.lookup(key)).toBeUndefined();
    expect(await ledger.query({})).toEqual({ records: [] });
    expect(warnings.join()).toContain('cannot be read');
    await ledger.settle(await win(ledger), storedAs('a'));
    expect((await ledger.lookup(key))?.state).toBe('stored');
  });

  test('that may evict records is warned of', async () => {
    await server.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const { promise: warned, resolve } = Promise.withResolvers<string>();
    openLedger(server.url, resolve);
    expect(await warned).toMatch(/allkeys-lru.*noeviction/s);
  });
});

test('a Sentinel failover is followed without a restart, and a fenced claimant stays fenced', {
  timeout: 60_000,
}, async () => {
  const fleet = await startSentinelFleet();
  try {
    const ledger = openLedger(fleet.url);
    await ledger.settle(await win(ledger), storedAs('a'));
    const before = await win(ledger);
    const { master, replica } = fleet;
    await master.client.wait(1, 0);
    await master.kill();
    await until(() => answers(ledger));
    expect(await fleet.masterPort()).toBe(replica.port);
    expect((await ledger.lookup(key))?.copy?.publicId).toBe('a');
    expect(await ledger.settle(before, storedAs('a'))).toBe('settled');
  } finally {
    await fleet.stop();
  }
});

describe('a Redis Cluster', () => {
  test('that moves its slots while claims race still has one winner for each asset', { timeout: 60_000 }, async () => {
    const cluster = await startRedisCluster();
    try {
      const ledgers = [openLedger(cluster.url), openLedger(cluster.url)];
      await Promise.all(ledgers.map((ledger) => until(() => answers(ledger))));
      const [from, to] = cluster.nodes as [RedisServer, RedisServer];
      const [fromId, toId] = await Promise.all(
        [from, to].map(async ({ client }) => String(await client.call('CLUSTER', 'MYID'))),
      );
      const layout = layoutOf('lazyferry');
      const owned = layout.buckets.map(({ assets }) => assets);
      const slots = await Promise.all(
        owned.map(async (name) => Number(await from.client.call('CLUSTER', 'KEYSLOT', name))),
      );
      const moved = slots.filter((slot) => slot < 5_461).slice(0, 20);
      const races = Array.from({ length: 40 }, (_, round) => round).map(async (round) => {
        const raced = keyOf(`raced-${round}.jpg`);
        const results = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            (ledgers[index % 2] as Ledger).claim(requestFor(raced, { owner: `racer ${index}` })).catch(() => undefined),
          ),
        );
        return results.filter((result) => result?.kind === 'won').length;
      });
      for (const slot of moved) {
        await to.client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(fromId));
        await from.client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(toId));
        const keys = (await from.client.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
        for (const name of keys) await from.client.call('MIGRATE', '127.0.0.1', to.port, name, 0, 5_000);
        for (const { client } of cluster.nodes) await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', String(toId));
      }
      expect(Math.max(...(await Promise.all(races)))).toBe(1);
      await until(async () => (await ledgers[0]?.claim(requestFor(keyOf('after.jpg'))))?.kind !== undefined);
    } finally {
      await cluster.stop();
    }
  });

  test('that loses a node rejects what that node held, answers the rest, and recovers', {
    timeout: 60_000,
  }, async () => {
    const cluster = await startRedisCluster();
    try {
      await Promise.all(cluster.nodes.map(({ client }) => client.config('SET', 'cluster-require-full-coverage', 'no')));
      const ledger = openLedger(cluster.url);
      const assets = Array.from({ length: 30 }, (_, index) => keyOf(`asset-${index}.jpg`));
      for (const asset of assets) await ledger.settle(await win(ledger, asset), storedAs('a'));
      const answered = async () => {
        const outcomes = await Promise.all(
          assets.map((asset) =>
            ledger.lookup(asset).then(
              () => true,
              (error: unknown) => {
                expect(error).toBeInstanceOf(LedgerUnavailable);
                return false;
              },
            ),
          ),
        );
        return outcomes.filter(Boolean).length;
      };
      await cluster.nodes[2]?.kill();
      await until(async () => {
        const count = await answered();
        return count > 0 && count < assets.length;
      });
      await cluster.nodes[2]?.restart();
      await until(async () => (await answered()) === assets.length);
    } finally {
      await cluster.stop();
    }
  });
});
