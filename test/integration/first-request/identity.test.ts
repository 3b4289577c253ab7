import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { patternContent } from '../../support/chaos-content.ts';
import { freePort } from '../../support/child.ts';
import { startLazyferry } from '../../support/lazyferry-process.ts';
import { proxyConfig } from '../../support/proxy-config.ts';
import { fetchOnce, photo, type Scene, settled, startScene } from './scene.ts';
import { temporaryDirectory } from './temporary-directory.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await startScene({
    storeDirectory: temporaryDirectory(),
    mappings: [{ prefix: '/same/' }, { prefix: '/key/', query: 'key' }, { prefix: '/named/', query: ['id'] }],
  });
});
afterAll(() => scene?.[Symbol.asyncDispose]());

const ask = (path: string) => fetchOnce(scene.proxy.delivery + path);
const uploadsUnder = (folder: string) =>
  scene.store.uploads.filter(({ publicId }) => publicId.startsWith(folder)).length;

test('a query names another object only where the mapping says so', async () => {
  for (const prefix of ['/same/', '/key/', '/named/']) scene.origin.put(`${prefix}a.jpg`, photo);
  for (const query of ['?id=1&utm=x', '?id=2&utm=x', '?utm=y&id=1']) {
    for (const prefix of ['/same/', '/key/', '/named/'])
      expect((await ask(`${prefix}a.jpg${query}`)).status).toBeLessThan(400);
  }
  const ended = () => scene.proxy.logs.filter(({ event }) => event === 'stored').length;
  await scene.proxy.logged(() => ended() >= 6);
  expect([uploadsUnder('same/'), uploadsUnder('key/'), uploadsUnder('named/')]).toEqual([1, 3, 2]);
  expect(scene.origin.requests.filter(({ url }) => url.startsWith('/same/') && url.includes('?'))).toEqual([]);
});

test('an ETag that looks like a digest, and is none of these bytes, is not taken for one', async () => {
  const foreign = createHash('md5').update('something else').digest('hex');
  scene.origin.put('/same/etag.jpg', photo, { etag: `"${foreign}"` });
  await ask('/same/etag.jpg');
  expect(await settled(scene.proxy, '/same/etag.jpg')).toMatchObject({ stored: true });
});

test('a client that leaves in mid-range gives the origin’s connection back', async () => {
  const path = '/same/long.mp4';
  scene.origin.put(path, patternContent(1e9), { type: 'video/mp4' });
  const request = get(scene.proxy.delivery + path, { agent: false, headers: { range: 'bytes=1000-' } });
  request.on('error', () => {});
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  await once(response, 'readable');
  const open = scene.origin.openSockets;
  request.destroy();
  await scene.origin.drained(open - 1);
  expect(scene.origin.openSockets).toBeLessThan(open);
});

test('a mapping that leads back to lazyferry ends after one turn, with an error that says so', async () => {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  await using loop = await startLazyferry({
    args: [
      '--config',
      proxyConfig({
        listen: { delivery: address, admin: '127.0.0.1:0' },
        mappings: [{ prefix: '/loop/', origin: `http://${address}/loop/`, network: { allowPrivate: true } }],
      }),
    ],
  });
  const answer = await fetchOnce(`http://${address}/loop/a.jpg`);
  expect({ status: answer.status, whole: answer.whole }).toEqual({ status: 508, whole: true });
  expect(await settled(loop, '/loop/a.jpg')).toEqual({ stored: false, reason: 'origin-error' });
});
