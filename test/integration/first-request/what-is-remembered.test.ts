import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startRedis } from '../../support/redis-server.ts';
import { change, fetchOnce, photo, recordOf, type Scene, settled, settledTimes, startScene } from './scene.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const badge = join(import.meta.dirname, '../../../sample/media/graphics/badge.png');
const newer = Buffer.concat([photo, Buffer.from('newer')]);

let scene: Scene;
beforeAll(async () => {
  scene = await startScene({
    storeDirectory: temporaryDirectory(),
    mappings: [
      { prefix: '/redirect/' },
      { prefix: '/stream/', warm: 'stream' },
      { prefix: '/picture/', placeholder: badge },
      { prefix: '/revalidate/', drift: { policy: 'revalidate', after: '1ms' } },
      { prefix: '/refresh/', drift: { policy: 'refresh' }, upload: { via: 'bytes' } },
    ],
  });
});
afterAll(() => scene?.[Symbol.asyncDispose]());
afterEach(() => scene.store.intervene(undefined));

const ask = (path: string, headers: Record<string, string> = {}) => fetchOnce(scene.proxy.delivery + path, { headers });

async function store(path: string, content: Buffer = photo): Promise<void> {
  scene.origin.put(path, content);
  await ask(path);
  expect(await settled(scene.proxy, path)).toMatchObject({ stored: true });
}

async function copyOf(path: string): Promise<Buffer> {
  const { headers } = await ask(path);
  return (await fetchOnce(String(headers.location))).body;
}

test('a copy that the store has lost is noticed by a stream, served from the origin, and made again', async () => {
  const path = '/stream/lost.jpg';
  await store(path);
  expect((await ask(path)).headers['cache-status']).toBe('lazyferry; hit');
  const removed = await fetch(`${scene.store.url}/v1_1/demo/resources/image/upload?public_ids[]=stream/lost_jpg`, {
    method: 'DELETE',
    headers: { authorization: `Basic ${btoa('key:recording-store-secret')}` },
  });
  expect(removed.status).toBe(200);
  const meanwhile = await ask(path);
  expect({ status: meanwhile.status, same: meanwhile.body.equals(photo) }).toEqual({ status: 200, same: true });
  expect(meanwhile.headers['cache-status']).toMatch(/fwd=uri-miss/);
  await settledTimes(scene.proxy, path, 2);
  const again = await ask(path);
  expect({ status: again.headers['cache-status'], same: again.body.equals(photo) }).toEqual({
    status: 'lazyferry; hit',
    same: true,
  });
});

test('an asset that was deleted on purpose stays gone, whatever the origin has', async () => {
  const path = '/redirect/deleted.jpg';
  await store(path);
  await change(scene.proxy, 'tombstone', { path });
  const reads = scene.origin.count(path);
  expect(await ask(path)).toMatchObject({ status: 410, headers: { 'cache-control': 'public, max-age=0, s-maxage=5' } });
  expect(scene.origin.count(path)).toBe(reads);
  expect(await recordOf(scene.proxy, path)).toMatchObject({ state: 'tombstoned' });
});

test('a missing object is remembered with its reason and its end, and costs the origin nothing meanwhile', async () => {
  const path = '/redirect/none.jpg';
  expect((await ask(path)).status).toBe(404);
  expect(await settled(scene.proxy, path)).toEqual({ stored: false, reason: 'origin-not-found' });
  const reads = scene.origin.count(path);
  const json = await ask(path, { accept: 'application/json' });
  expect(json).toMatchObject({
    status: 404,
    headers: { 'content-type': 'application/problem+json', 'x-lazyferry-reason': 'origin-not-found', vary: 'Accept' },
  });
  const { until, reason } = JSON.parse(json.body.toString()) as { until: string; reason: string };
  expect(reason).toBe('origin-not-found');
  // A minute, less the part that is left to chance.
  expect(Date.parse(until) - Date.now()).toBeGreaterThan(30_000);
  expect(Date.parse(until) - Date.now()).toBeLessThan(60_000);
  expect((await ask(path)).body.toString()).toMatch(/^404 Not Found: The origin has no such object\. Until 20/);
  expect(scene.origin.count(path)).toBe(reads);
});

test.each(['Sat, 13 Sep 275760 00:00:00 GMT', '999999999'])(
  'an origin cannot make an object missing for years: Retry-After: %s',
  async (retryAfter) => {
    const path = `/redirect/years-${retryAfter.length}.jpg`;
    scene.origin.set(path, { kind: 'status', status: 404, headers: { 'retry-after': retryAfter } });
    await ask(path);
    await settled(scene.proxy, path);
    const json = await ask(path, { accept: 'application/json' });
    expect(json.status).toBe(404);
    const { until } = JSON.parse(json.body.toString()) as { until: string };
    expect(Date.parse(until) - Date.now()).toBeLessThan(60_000);
  },
);

test('a second failure waits longer, and a purge forgets it at once', async () => {
  const path = '/redirect/purged.jpg';
  await ask(path);
  await settled(scene.proxy, path);
  await change(scene.proxy, 'retry', { path, wait: true });
  const { failure } = (await recordOf(scene.proxy, path)) as { failure: { attempts: number; retryAt: string } };
  expect(failure.attempts).toBe(2);
  expect(new Date(failure.retryAt).getTime() - Date.now()).toBeGreaterThan(60_000);
  scene.origin.put(path, photo);
  expect((await ask(path)).status).toBe(404);
  await change(scene.proxy, 'purge', { path });
  expect((await ask(path)).body.equals(photo)).toBe(true);
  await settledTimes(scene.proxy, path, 3);
  expect((await copyOf(path)).equals(photo)).toBe(true);
});

test('what is missing for one process is missing for the other, and found again for both', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const config = { ledger: { url: redis.url } };
  await using one = await startScene({ storeDirectory: temporaryDirectory(), mappings: [{ prefix: '/m/' }], config });
  await using other = await one.another();
  await fetchOnce(`${one.proxy.delivery}/m/a.jpg`);
  await settled(one.proxy, '/m/a.jpg');
  const reads = one.origin.requests.length;
  expect((await fetchOnce(`${other.delivery}/m/a.jpg`)).headers['x-lazyferry-reason']).toBe('origin-not-found');
  expect(one.origin.requests.length).toBe(reads);
  one.origin.put('/m/a.jpg', photo);
  await change(other, 'purge', { path: '/m/a.jpg' });
  await expect
    .poll(async () => (await fetchOnce(`${one.proxy.delivery}/m/a.jpg`)).status, { timeout: 10_000 })
    .not.toBe(404);
});

test('a browser that wants a picture gets the placeholder with the 404, never with 200, and everybody else the words', async () => {
  const path = '/picture/none.jpg';
  await ask(path);
  await settled(scene.proxy, path);
  const picture = await ask(path, { accept: 'image/avif,image/webp,image/*,*/*;q=0.8' });
  expect(picture).toMatchObject({
    status: 404,
    headers: { 'content-type': 'image/png', 'cache-control': 'public, max-age=0, s-maxage=5', vary: 'Accept' },
  });
  expect((await ask(path, { accept: 'text/html,image/*' })).headers['content-type']).toMatch(/^text\/plain/);
});

test('with revalidate a new version at the origin is uploaded by age; the old one serves until it is proven', async () => {
  const path = '/revalidate/a.jpg';
  await store(path);
  const proven = Promise.withResolvers<void>();
  scene.origin.put(path, newer);
  scene.store.intervene(() => ({ kind: 'hold', until: proven.promise }));
  const began = scene.store.began(scene.store.uploads.length + 1);
  const before = await ask(path);
  expect(before.status).toBe(302);
  await began;
  const meanwhile = await ask(path);
  expect(meanwhile.headers.location).toBe(before.headers.location);
  expect((await fetchOnce(String(meanwhile.headers.location))).body.equals(photo)).toBe(true);
  proven.resolve();
  await settledTimes(scene.proxy, path, 2);
  expect((await copyOf(path)).equals(newer)).toBe(true);
});

test('with refresh a purge uploads the new version; the old one serves until it is proven, also when it never is', async () => {
  const path = '/refresh/a.jpg';
  await store(path);
  scene.origin.put(path, newer);
  scene.origin.set(path, { kind: 'truncate', after: 100, framing: 'length' });
  await change(scene.proxy, 'purge', { path });
  await settledTimes(scene.proxy, path, 2);
  expect((await copyOf(path)).equals(photo)).toBe(true);
  scene.origin.set(path, undefined);
  await change(scene.proxy, 'purge', { path });
  await settledTimes(scene.proxy, path, 3);
  expect((await copyOf(path)).equals(newer)).toBe(true);
});

test('with pin, which is the default, a copy stays what it is', async () => {
  const path = '/redirect/pinned.jpg';
  await store(path);
  const reads = scene.origin.count(path);
  scene.origin.put(path, newer);
  expect((await copyOf(path)).equals(photo)).toBe(true);
  expect(scene.origin.count(path)).toBe(reads);
});

test('the origin’s metadata is given back on a stream, and its ETag is the one that conditions go by', async () => {
  const path = '/stream/metadata.jpg';
  const given = {
    'content-disposition': 'inline; filename="lake.jpg"',
    'content-language': 'de',
    'cache-control': 'public, max-age=1234',
  };
  const { etag = '' } = scene.origin.put(path, photo, { headers: given });
  await ask(path);
  await settled(scene.proxy, path);
  const warm = await ask(path);
  expect(warm).toMatchObject({
    status: 200,
    headers: { ...given, etag, 'last-modified': 'Sat, 01 Mar 2025 10:00:00 GMT', 'cache-status': 'lazyferry; hit' },
  });
  expect((await ask(path, { 'if-none-match': etag })).status).toBe(304);
});

test('the metrics tell what the origin was asked for, and what it sent', async () => {
  await store('/refresh/counted.jpg');
  const metrics = await (await fetch(`${scene.proxy.admin}/metrics`)).text();
  const counted = (name: string) =>
    metrics
      .split('\n')
      .filter((line) => line.startsWith(`${name}{mapping="/refresh/"`))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  expect(counted('lazyferry_origin_requests_total')).toBeGreaterThanOrEqual(1);
  expect(counted('lazyferry_origin_bytes_total')).toBeGreaterThanOrEqual(photo.length);
});
