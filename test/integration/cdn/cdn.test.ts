import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cdn, startNginx, startVarnish } from '../../support/cdn.ts';
import { curl, wget } from '../../support/command.ts';
import { change, fetchOnce, photo, type Scene, settled, startScene } from '../first-request/scene.ts';
import { temporaryDirectory } from '../first-request/temporary-directory.ts';

/** Long enough to be a cache, short enough to be waited out. */
const brief = 'public, max-age=60, s-maxage=1';
const patience = { timeout: 15_000, interval: 100 };

describe.each([
  ['nginx', startNginx],
  ['Varnish', startVarnish],
] as const)('behind %s', (name, startCdn) => {
  let scene: Scene;
  let cdn: Cdn;
  beforeAll(async () => {
    scene = await startScene({
      storeDirectory: temporaryDirectory(),
      mappings: [
        { prefix: '/img/', cache: { cold: brief, error: 'public, max-age=0, s-maxage=1' } },
        { prefix: '/stream/', warm: 'stream', cache: { cold: brief } },
        { prefix: '/brief/', cache: { cold: brief, warm: `${brief}, stale-if-error=86400` } },
      ],
    });
    cdn = await startCdn(scene.proxy.delivery);
  });
  afterAll(async () => {
    await cdn?.close();
    await scene?.[Symbol.asyncDispose]();
  });

  const url = (path: string) => cdn.url + path;
  const put = (path: string) => scene.origin.put(path, photo);

  test('a cold picture comes from the origin, and as soon as the copy is there the CDN holds the way to it', async () => {
    const path = '/img/a.jpg';
    put(path);
    const cold = await curl(url(path));
    expect(cold).toMatchObject({ code: 0, status: 200, headers: { 'x-cache': 'MISS' } });
    expect(cold.body.equals(photo)).toBe(true);
    await settled(scene.proxy, path);
    await expect.poll(async () => (await curl(url(path))).status, patience).toBe(302);
    const requests = scene.origin.requests.length;
    const warm = await curl(url(path));
    expect(warm).toMatchObject({ status: 302, headers: { 'x-cache': 'HIT' } });
    for (const client of [(at: string) => curl(at, '-L'), wget]) {
      const followed = await client(url(path));
      expect({ status: followed.status, same: followed.body.equals(photo) }).toEqual({ status: 200, same: true });
    }
    expect(scene.origin.requests.length).toBe(requests);
  });

  test('HEAD is answered as GET, cold and streamed', async () => {
    const path = '/stream/head.jpg';
    put(path);
    const head = { status: 200, headers: { 'content-type': 'image/jpeg', 'content-length': String(photo.length) } };
    expect(await fetchOnce(url(path), { method: 'HEAD' })).toMatchObject(head);
    await settled(scene.proxy, path);
    expect(await fetchOnce(url(path), { method: 'HEAD' })).toMatchObject(head);
  });

  test('a part of a streamed picture is that part', async () => {
    const path = '/stream/part.jpg';
    put(path);
    for (const range of ['0-99', '500-1499', '-100']) {
      const part = await curl(url(path), '-r', range);
      expect([200, 206]).toContain(part.status);
      const [start = '', end = ''] = range.split('-');
      const expected = start === '' ? photo.subarray(-Number(end)) : photo.subarray(Number(start), Number(end) + 1);
      expect(part.body.equals(part.status === 206 ? expected : photo)).toBe(true);
    }
  });

  test.each([
    ['404', { kind: 'status', status: 404 }],
    ['500', { kind: 'status', status: 500 }],
    ['reset', { kind: 'reset', after: 'head' }],
  ] as const)(
    'an error (%s) is not kept: the picture is there soon after the origin is well again',
    async (which, fault) => {
      const path = `/img/error-${which}.jpg`;
      put(path);
      scene.origin.set(path, fault);
      expect((await curl(url(path))).status).toBeGreaterThanOrEqual(400);
      await settled(scene.proxy, path);
      scene.origin.set(path, undefined);
      await change(scene.proxy, 'purge', { path });
      await expect.poll(async () => (await curl(url(path), '-L')).body.equals(photo), patience).toBe(true);
    },
  );

  test('a body that the origin breaks off is no whole one for the CDN either, and is not kept', async () => {
    const path = '/img/broken.jpg';
    put(path);
    scene.origin.set(path, { kind: 'truncate', after: 9_000, framing: 'chunked' });
    const broken = await curl(url(path));
    expect(broken.code).not.toBe(0);
    scene.origin.set(path, undefined);
    const mended = await curl(url(path), '-L');
    expect({ code: mended.code, same: mended.body.equals(photo) }).toEqual({ code: 0, same: true });
  });

  test('while lazyferry is down, the CDN goes on with what it has, past its time', async () => {
    const path = '/brief/stale.jpg';
    put(path);
    await curl(url(path));
    await settled(scene.proxy, path);
    await expect.poll(async () => (await curl(url(path))).status, patience).toBe(302);
    await using other = await scene.another();
    const second = await startCdn(other.delivery);
    try {
      await curl(second.url + path);
      await settled(other, path).catch(() => undefined);
      await expect.poll(async () => (await curl(second.url + path)).status, patience).toBe(302);
      await other.kill();
      const isPastItsTime = async () => {
        const { status, headers } = await fetchOnce(second.url + path);
        return status === 302 && (headers['x-cache'] === 'STALE' || Number(headers.age ?? 0) > 1);
      };
      await expect.poll(isPastItsTime, patience).toBe(true);
    } finally {
      await second.close();
    }
  });

  if (name === 'Varnish')
    test('a purge by the asset’s tag forgets that asset alone', async () => {
      for (const path of ['/img/tag-a.jpg', '/img/tag-b.jpg']) {
        put(path);
        await curl(url(path));
        await settled(scene.proxy, path);
        await expect.poll(async () => (await curl(url(path))).status, patience).toBe(302);
        await expect.poll(async () => (await curl(url(path))).headers['x-cache'], patience).toBe('HIT');
      }
      const { headers } = await fetchOnce(`${scene.proxy.delivery}/img/tag-a.jpg`);
      const tag = headers['surrogate-key']?.split(' ').at(-1) ?? '';
      await curl(url('/'), '-X', 'BAN', '-H', `X-Tag: ${tag}`);
      expect((await curl(url('/img/tag-a.jpg'))).headers['x-cache']).toBe('MISS');
      expect((await curl(url('/img/tag-b.jpg'))).headers['x-cache']).toBe('HIT');
    });
});
