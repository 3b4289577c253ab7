import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AssetKey, encodeAssetKey } from '../../src/asset/key.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { bucketOf, layoutOf } from '../../src/ledger/redis/layout.ts';
import { openRedisLedger } from '../../src/ledger/redis/redis-ledger.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { keyOf, requestFor } from './ledger-samples.ts';

/** Pages inside one bucket: Redis scans a small hash in one step and a large one in many. */
describe('pages of a Redis bucket', () => {
  const layout = layoutOf('lazyferry');
  const bucketFor = (key: AssetKey) => bucketOf(layout, encodeAssetKey(key)).assets;
  const bucket = bucketFor(keyOf('0.jpg'));
  let server: RedisServer;
  let ledger: Ledger;

  beforeAll(async () => {
    server = await startRedis({ settings: ['--hash-max-listpack-entries', '64'] });
    ledger = openRedisLedger({ url: server.url });
  });
  beforeEach(async () => void (await server.client.flushall()));
  afterAll(async () => {
    await ledger.close();
    await server.stop();
  });

  /** Keys that share the bucket. */
  function neighbours(count: number): AssetKey[] {
    const keys: AssetKey[] = [];
    for (let index = 0; keys.length < count; index += 1) {
      const key = keyOf(`${index}.jpg`);
      if (bucketFor(key) === bucket) keys.push(key);
    }
    return keys;
  }

  async function read(limit: number, betweenPages = async () => {}): Promise<string[]> {
    const paths: string[] = [];
    let after: string | undefined;
    do {
      const page = await ledger.query({ limit, ...(after !== undefined && { after }) });
      expect(page.records.length).toBeLessThanOrEqual(limit);
      paths.push(...page.records.map(({ key }) => key.path));
      after = page.next;
      await betweenPages();
    } while (after !== undefined);
    return paths;
  }

  const claim = (key: AssetKey) => ledger.claim({ ...requestFor(key), originUrl: 'x', owner: 'o' });

  test.each([
    { count: 40, encoding: 'listpack', limit: 7 },
    { count: 40, encoding: 'listpack', limit: 1 },
    { count: 120, encoding: 'hashtable', limit: 1 },
    { count: 120, encoding: 'hashtable', limit: 33 },
  ])('of $count records ($encoding) by $limit give every record once', async ({ count, encoding, limit }) => {
    const keys = neighbours(count);
    await Promise.all(keys.map(claim));
    expect(await server.client.object('ENCODING', bucket)).toBe(encoding);
    expect((await read(limit)).sort()).toEqual(keys.map(({ path }) => path).sort());
  });

  test('give every record that stays, while others come and go between the pages', async () => {
    const keys = neighbours(450);
    const staying = keys.filter((_, index) => index % 3 === 0);
    const going = keys.filter((_, index) => index % 3 === 1);
    const coming = keys.filter((_, index) => index % 3 === 2);
    await Promise.all([...staying, ...going].map(claim));
    const paths = await read(5, async () => {
      await Promise.all(going.splice(0, 5).map((key) => ledger.forget(key)));
      await Promise.all(coming.splice(0, 5).map(claim));
    });
    expect(staying.filter(({ path }) => !paths.includes(path))).toEqual([]);
  });
});
