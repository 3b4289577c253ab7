import { afterAll, beforeAll, expect, test } from 'vitest';
import { fetchOnce, photo, recordOf, type Scene, settled, startScene } from './scene.ts';
import { temporaryDirectory } from './temporary-directory.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await startScene({
    storeDirectory: temporaryDirectory(),
    config: { listen: { trustedProxies: ['loopback', '10.0.0.0/8'] } },
    mappings: [
      { prefix: '/budget/', firstTouch: { perClient: 2 } },
      { prefix: '/rate/', firstTouch: { perSecond: 0.01 } },
      { prefix: '/people/', firstTouch: { bots: false } },
      { prefix: '/jpg/', allow: { extensions: ['jpg'] } },
      { prefix: '/open/', transformation: 'f_auto' },
    ],
  });
});
afterAll(() => scene?.[Symbol.asyncDispose]());

const ask = (path: string, headers: Record<string, string> = {}) => {
  if (!path.includes('mismatch') && !scene.origin.requests.some((request) => request.path === path))
    scene.origin.put(path, photo);
  return fetchOnce(scene.proxy.delivery + path, { headers });
};
const known = async (path: string) => (await recordOf(scene.proxy, path)) !== null;

test('a client beyond its budget is served from the origin and starts no upload; another client does', async () => {
  const scanner = { 'x-forwarded-for': '203.0.113.9' };
  for (const name of ['a', 'b', 'c', 'd']) {
    const answer = await ask(`/budget/${name}.jpg`, scanner);
    expect({ status: answer.status, same: answer.body.equals(photo) }).toEqual({ status: 200, same: true });
  }
  await settled(scene.proxy, '/budget/a.jpg');
  await settled(scene.proxy, '/budget/b.jpg');
  expect([await known('/budget/c.jpg'), await known('/budget/d.jpg')]).toEqual([false, false]);
  await ask('/budget/c.jpg', { 'x-forwarded-for': '198.51.100.7' });
  expect(await settled(scene.proxy, '/budget/c.jpg')).toMatchObject({ stored: true });
});

test('what a client writes into X-Forwarded-For itself gives it no second budget', async () => {
  // The CDN (10.1.1.1) adds the address it sees; what stands before it is the client's own invention.
  for (const [index, invented] of ['192.0.2.1', '192.0.2.2', '192.0.2.3'].entries()) {
    await ask(`/budget/forged-${index}.jpg`, { 'x-forwarded-for': `${invented}, 203.0.113.77, 10.1.1.1` });
  }
  await settled(scene.proxy, '/budget/forged-1.jpg');
  expect(await known('/budget/forged-2.jpg')).toBe(false);
});

test('a client that takes another IPv6 address for each request has one budget for its whole /64', async () => {
  for (const [index, address] of ['2001:db8:7:8::1', '2001:db8:7:8::2', '2001:db8:7:8:a:b:c:d'].entries()) {
    await ask(`/budget/rotated-${index}.jpg`, { 'x-forwarded-for': address });
  }
  await settled(scene.proxy, '/budget/rotated-1.jpg');
  expect(await known('/budget/rotated-2.jpg')).toBe(false);
  await ask('/budget/rotated-2.jpg', { 'x-forwarded-for': '2001:db8:7:9::1' });
  expect(await settled(scene.proxy, '/budget/rotated-2.jpg')).toMatchObject({ stored: true });
});

test('a mapping starts no more uploads in a second than it may', async () => {
  for (const name of ['a', 'b', 'c']) expect((await ask(`/rate/${name}.jpg`)).body.equals(photo)).toBe(true);
  await settled(scene.proxy, '/rate/a.jpg');
  expect([await known('/rate/b.jpg'), await known('/rate/c.jpg')]).toEqual([false, false]);
});

test('a crawler is served and starts nothing where the mapping says so; a person’s browser does', async () => {
  const crawler = { 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' };
  const browser = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36' };
  expect((await ask('/people/a.jpg', crawler)).body.equals(photo)).toBe(true);
  expect(await known('/people/a.jpg')).toBe(false);
  await ask('/people/a.jpg', browser);
  expect(await settled(scene.proxy, '/people/a.jpg')).toMatchObject({ stored: true });
});

test('a path with another extension than the listed ones is passed through and never stored', async () => {
  expect((await ask('/jpg/a.php')).body.equals(photo)).toBe(true);
  expect((await ask('/jpg/b.jpg')).body.equals(photo)).toBe(true);
  await settled(scene.proxy, '/jpg/b.jpg');
  expect(await known('/jpg/a.php')).toBe(false);
});

test('a picture whose type, name and bytes do not agree is stored, and the operator is told', async () => {
  scene.origin.put('/open/mismatch.png', photo, { type: 'image/png' });
  await ask('/open/mismatch.png');
  expect(await settled(scene.proxy, '/open/mismatch.png')).toMatchObject({ stored: true });
  expect(await scene.proxy.logged(({ event }) => event === 'type-mismatch')).toMatchObject({
    asset: { path: 'mismatch.png' },
    declared: 'image/png',
    byName: 'image/png',
    byBytes: 'image/jpeg',
  });
});

test('cold and warm answers tell a CDN how long they live and how they are purged', async () => {
  const cold = await ask('/open/cdn.jpg');
  await settled(scene.proxy, '/open/cdn.jpg');
  const warm = await ask('/open/cdn.jpg');
  expect(cold.headers['cache-control']).toBe('public, max-age=60, s-maxage=5');
  expect(warm.headers['cache-control']).toMatch(/s-maxage=3600.*stale-if-error=86400/);
  for (const { headers } of [cold, warm]) {
    expect(headers['surrogate-key']).toMatch(/^lazyferry lazyferry-mapping-open lazyferry-asset-[0-9a-f]{16}$/);
    expect(headers['cache-tag']).toBe(headers['surrogate-key']?.replaceAll(' ', ','));
    expect(headers).toMatchObject({ 'access-control-allow-origin': '*', 'timing-allow-origin': '*' });
  }
  expect(cold.headers['surrogate-key']).toBe(warm.headers['surrogate-key']);
});

test('a host that a client invents is never in an answer', async () => {
  const forged = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
  await ask('/open/host.jpg');
  await settled(scene.proxy, '/open/host.jpg');
  for (const path of ['/open/host.jpg', '/open/none/', '/elsewhere']) {
    const { headers, body } = await fetchOnce(scene.proxy.delivery + path, { headers: forged });
    expect(JSON.stringify(headers) + body.toString('latin1')).not.toContain('evil.example');
  }
});

const keptForOne: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['private', { 'cache-control': 'max-age=60, Private' }],
  ['private for one field', { 'cache-control': 'private="x-user", max-age=60' }],
  ['no-store', { 'cache-control': 'NO-STORE' }],
  ['no-store for CDNs', { 'cache-control': 'public, max-age=60', 'cdn-cache-control': 'no-store' }],
  ['no-store for surrogates', { 'cache-control': 'public, max-age=60', 'surrogate-control': 'no-store' }],
  ['a cookie', { 'cache-control': 'public, max-age=60', 'set-cookie': 'a=b' }],
  ['one answer a request', { vary: '*' }],
  ['one answer a request, in a list', { 'cache-control': 'public, max-age=60', vary: 'Accept, *' }],
];

test.each(keptForOne)(
  'what the origin marks as %s is served, not stored, and kept by no CDN',
  async (name, headers) => {
    const path = `/open/${name.replaceAll(/\W/g, '-')}.jpg`;
    scene.origin.put(path, photo, { headers });
    const answer = await fetchOnce(scene.proxy.delivery + path);
    expect({ status: answer.status, same: answer.body.equals(photo) }).toEqual({ status: 200, same: true });
    expect(answer.headers['cache-control']).toMatch(/private|no-store/i);
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(await settled(scene.proxy, path)).toEqual({ stored: false, reason: 'origin-private' });
  },
);
