import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { patternContent } from '../../support/chaos-content.ts';
import { change, fetchOnce, photo, recordOf, type Scene, settled, startScene } from './scene.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const limit = 1_000_000;
/** A JPEG by its beginning, three times the limit. */
const large = Buffer.concat([photo, patternContent(3 * limit).subarray(0, 3 * limit)]);
const failedToLoad = JSON.stringify({
  error: { message: 'Resource not found - http://www.example.com/a.jpg' },
});

let scene: Scene;
beforeAll(async () => {
  scene = await startScene({
    storeDirectory: temporaryDirectory(),
    mappings: [
      { prefix: '/bytes/', upload: { via: 'bytes' }, allow: { maxBytes: limit } },
      { prefix: '/remote-url/', upload: { via: 'remote-url' }, allow: { maxBytes: limit } },
      { prefix: '/roomy/', upload: { via: 'bytes' } },
    ],
  });
});
afterAll(() => scene?.[Symbol.asyncDispose]());

test.each(['bytes', 'remote-url'])(
  'an object that grows past the limit while it comes reaches its client whole, and is never stored (%s)',
  async (via) => {
    const path = `/${via}/grows.jpg`;
    scene.origin.put(path, large);
    scene.origin.set(path, { kind: 'chunked' });
    const answer = await fetchOnce(scene.proxy.delivery + path);
    expect({ status: answer.status, whole: answer.whole }).toEqual({ status: 200, whole: true });
    expect(answer.body.equals(large)).toBe(true);
    expect(await settled(scene.proxy, path)).toEqual({ stored: false, reason: 'too-large' });
    // Nor is what the store read by itself left behind there.
    const copy = await fetch(`${scene.store.url}/demo/image/upload/${via}/grows_jpg`);
    expect(copy.status).toBe(404);
  },
);

test('an object that states more than the limit is passed on whole and is not even begun to be uploaded', async () => {
  const path = '/bytes/stated.jpg';
  scene.origin.put(path, large);
  expect((await fetchOnce(scene.proxy.delivery + path)).body.equals(large)).toBe(true);
  expect(await settled(scene.proxy, path)).toEqual({ stored: false, reason: 'too-large' });
  expect(scene.store.uploadsOf('bytes/stated_jpg')).toBe(0);
});

test('an origin that sends without end: the upload stops at the limit, the client goes on until it leaves', async () => {
  const path = '/bytes/endless.jpg';
  // The beginning of a picture, then bytes for ever.
  scene.origin.put(path, { length: Number.MAX_SAFE_INTEGER, subarray: endlessPicture });
  const request = get(scene.proxy.delivery + path);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let received = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    received += piece.length;
    if (received > 5 * limit) break;
  }
  expect(received).toBeGreaterThan(5 * limit);
  expect(await settled(scene.proxy, path)).toEqual({ stored: false, reason: 'too-large' });
  // Once the only client has left, nobody reads the origin any more.
  await scene.origin.drained(0);
});

function endlessPicture(start: number, end: number): Uint8Array {
  const bytes = patternContent(Number.MAX_SAFE_INTEGER).subarray(start, end);
  if (start < photo.length) bytes.set(photo.subarray(start, end));
  return bytes;
}

test('an object that only the store cannot find is not missing: clients still get it from the origin', async () => {
  const path = '/remote-url/hidden.jpg';
  scene.origin.put(path, photo);
  scene.store.intervene((id) =>
    id === 'remote-url/hidden_jpg' ? { kind: 'answer', status: 400, body: failedToLoad } : undefined,
  );
  expect((await fetchOnce(scene.proxy.delivery + path)).body.equals(photo)).toBe(true);
  expect(await settled(scene.proxy, path)).toEqual({ stored: false, reason: 'origin-denied' });
  const again = await fetchOnce(scene.proxy.delivery + path);
  expect({ status: again.status, whole: again.body.equals(photo) }).toEqual({ status: 200, whole: true });
  expect(await recordOf(scene.proxy, path)).toMatchObject({ state: 'failed' });
  scene.store.intervene(undefined);
  expect(await change(scene.proxy, 'retry', { path, wait: true })).toMatchObject({ outcome: 'stored' });
});

test('content that changes between two requests: the copy is one version whole, and is known by that version’s ETag', async () => {
  const path = '/roomy/changes.jpg';
  const before = scene.origin.put(path, photo);
  const later = Buffer.concat([photo, Buffer.alloc(777, 1)]);
  const began = scene.store.began(scene.store.uploads.length + 1);
  const go = Promise.withResolvers<void>();
  scene.store.intervene(() => ({ kind: 'hold', until: go.promise }));
  expect((await fetchOnce(scene.proxy.delivery + path)).headers.etag).toBe(before.etag);
  await began;
  const after = scene.origin.put(path, later);
  go.resolve();
  scene.store.intervene(undefined);
  expect(await settled(scene.proxy, path)).toMatchObject({ stored: true });
  const { headers } = await fetchOnce(scene.proxy.delivery + path);
  const copy = (await fetchOnce(String(headers.location))).body;
  const record = (await recordOf(scene.proxy, path)) as { origin: { etag: string } };
  expect(copy.equals(photo) ? before.etag : copy.equals(later) ? after.etag : 'neither version').toBe(
    record.origin.etag,
  );
});
