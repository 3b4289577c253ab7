import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCloudinaryStore } from '../../../src/store/cloudinary/cloudinary-store.ts';
import { fetchOnce, photo, recordOf, type Scene, settled, settledTimes, startScene } from './scene.ts';
import { temporaryDirectory } from './temporary-directory.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await startScene({
    storeDirectory: temporaryDirectory(),
    mappings: [
      { prefix: '/redirect/', copyCheck: '10ms' },
      { prefix: '/stream/', warm: 'stream' },
      { prefix: '/unchecked/', copyCheck: null },
    ],
  });
});
afterAll(() => scene?.[Symbol.asyncDispose]());

const at = (path: string) => `${scene.proxy.delivery}${path}`;

/** Puts a photo, has it stored, and gives its copy's identity. */
async function stored(path: string) {
  scene.origin.put(path, photo);
  await fetchOnce(at(path));
  await settled(scene.proxy, path);
  const { copy } = (await recordOf(scene.proxy, path)) as {
    copy: { publicId: string; resourceType: 'image'; deliveryType: 'upload' };
  };
  return copy;
}

/** As somebody does in Cloudinary's console. */
async function deleteAtStore(copy: Awaited<ReturnType<typeof stored>>): Promise<void> {
  const { store } = scene;
  const driver = createCloudinaryStore({ url: store.account, uploadPrefix: store.url, deliveryPrefix: store.url });
  expect(await driver.remove(copy)).toBe(true);
  await driver.close();
}

async function follow(path: string) {
  const answer = await fetch(at(path));
  return { status: answer.status, whole: Buffer.from(await answer.arrayBuffer()).equals(photo) };
}

async function checks(result: string): Promise<number> {
  const metrics = await (await fetch(`${scene.proxy.admin}/metrics`)).text();
  return Number(
    new RegExp(`^lazyferry_copy_checks_total\\{result="${result}"\\} (\\d+)$`, 'm').exec(metrics)?.[1] ?? 0,
  );
}

test.each(['/redirect/a.jpg', '/stream/a.jpg'])(
  'a copy of %s that somebody deleted at the store is made again, and visitors see the picture',
  async (path) => {
    const copy = await stored(path);
    await deleteAtStore(copy);
    await fetchOnce(at(path));
    const { verdict } = await scene.proxy.logged(
      ({ event, publicId }) => event === 'copy-not-delivered' && publicId === copy.publicId,
    );
    expect(verdict).toBe('gone');
    await settledTimes(scene.proxy, path, 2);
    expect(await follow(path)).toEqual({ status: 200, whole: true });
    expect(scene.store.uploadsOf(copy.publicId)).toBe(2);
  },
);

test.each([
  ['/redirect/behind.jpg', 'HEAD', 404, 'not-delivered', 'there'],
  ['/stream/behind.jpg', 'GET', 404, undefined, 'there'],
  ['/redirect/broken.jpg', 'HEAD', 500, 'unknown', undefined],
  ['/redirect/forbidden.jpg', 'HEAD', 403, 'unknown', undefined],
] as const)(
  'a store that has the copy, and answers %s by %s with %i, keeps it',
  async (path, method, status, result, verdict) => {
    const copy = await stored(path);
    const [before, uploads] = [await checks(result ?? 'delivered'), scene.store.uploads.length];
    scene.store.faults.add({ method, path: copy.publicId, status, body: '', times: 1 });
    expect((await follow(path)).whole).toBe(true);
    if (result !== undefined) await expect.poll(() => checks(result)).toBe(before + 1);
    if (verdict !== undefined) {
      const line = await scene.proxy.logged(
        ({ event, publicId }) => event === 'copy-not-delivered' && publicId === copy.publicId,
      );
      expect(line.verdict).toBe(verdict);
    }
    expect(await follow(path)).toEqual({ status: 200, whole: true });
    expect(scene.store.uploads.length).toBe(uploads);
    expect(await recordOf(scene.proxy, path)).toMatchObject({ copy: { publicId: copy.publicId } });
  },
);

test('where copies are not checked, the store is not asked for them', async () => {
  await stored('/unchecked/a.jpg');
  const before = scene.store.received.length;
  for (let time = 0; time < 20; time += 1) expect((await fetchOnce(at('/unchecked/a.jpg'))).status).toBe(302);
  expect(scene.store.received.length).toBe(before);
});
