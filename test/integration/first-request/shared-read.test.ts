import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { patternContent } from '../../support/chaos-content.ts';
import { runCommand } from '../../support/command.ts';
import { fetchOnce, photo, type Scene, settled, startScene } from './scene.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const mebibyte = 1 << 20;
/** A JPEG by its beginning, larger than what a read keeps in memory and than what sockets hold. */
const large = Buffer.concat([photo, patternContent(12 * mebibyte).subarray(0, 12 * mebibyte)]);

let scene: Scene;
const start = () =>
  startScene({
    storeDirectory: temporaryDirectory(),
    mappings: [
      { prefix: '/bytes/', upload: { via: 'bytes' } },
      { prefix: '/remote-url/', upload: { via: 'remote-url' } },
    ],
  });
beforeAll(async () => {
  scene = await start();
});
afterAll(() => scene?.[Symbol.asyncDispose]());
afterEach(() => scene.store.intervene(undefined));

/** Begins a request and gives it back with its answer, of which nothing has been read. */
async function begin(url: string): Promise<{ request: ClientRequest; response: IncomingMessage }> {
  const request = get(url, { agent: false });
  request.on('error', () => {});
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { request, response };
}

async function rest(response: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function expectCopy(path: string, content: Buffer): Promise<void> {
  expect(await settled(scene.proxy, path)).toMatchObject({ stored: true });
  const { headers } = await fetchOnce(scene.proxy.delivery + path);
  expect((await fetchOnce(String(headers.location))).body.equals(content)).toBe(true);
}

test('a thousand first clients get the whole, and cost the origin one read and the store one upload', async () => {
  const path = '/bytes/thousand.jpg';
  scene.origin.put(path, photo);
  const answer = Promise.withResolvers<void>();
  const store = Promise.withResolvers<void>();
  scene.origin.set(path, { kind: 'hold', until: answer.promise });
  scene.store.intervene(() => ({ kind: 'hold', until: store.promise }));
  const clients = Array.from({ length: 1_000 }, () => fetchOnce(scene.proxy.delivery + path));
  await scene.origin.requested(path);
  answer.resolve();
  const answers = await Promise.all(clients);
  expect(answers.filter(({ status, whole, body }) => status === 200 && whole && body.equals(photo)).length).toBe(1_000);
  store.resolve();
  await expectCopy(path, photo);
  expect(scene.origin.bodyReads(path)).toBe(1);
  expect(scene.store.uploadsOf('bytes/thousand_jpg')).toBe(1);
});

describe.each(['bytes', 'remote-url'])('a client that leaves changes nothing of the upload by %s', (via) => {
  test('before the origin has answered', async () => {
    const path = `/${via}/leaves-early.jpg`;
    scene.origin.put(path, photo);
    const answer = Promise.withResolvers<void>();
    scene.origin.set(path, { kind: 'hold', until: answer.promise });
    const request = get(scene.proxy.delivery + path, { agent: false });
    request.on('error', () => {});
    await scene.origin.requested(path);
    request.destroy();
    answer.resolve();
    await expectCopy(path, photo);
    expect(scene.origin.bodyReads(path)).toBe(via === 'bytes' ? 1 : 2);
  });

  test.each([
    ['with the first byte', 0],
    ['in the middle', large.length / 2],
  ])('%s', async (when, share) => {
    const path = `/${via}/leaves-${share}.jpg`;
    scene.origin.put(path, large);
    const { request, response } = await begin(scene.proxy.delivery + path);
    let received = 0;
    for await (const piece of response as AsyncIterable<Buffer>) {
      received += piece.length;
      if (received >= share) break;
    }
    request.destroy();
    expect(received, when).toBeLessThan(large.length);
    await expectCopy(path, large);
    expect(scene.store.uploads.filter(({ publicId }) => publicId === `${via}/leaves-${share}_jpg`).length).toBe(1);
  });
});

test('a client that reads nothing holds up neither the others nor the copy, and then gets it all', async () => {
  const path = '/bytes/slow.jpg';
  scene.origin.put(path, large);
  const slow = await begin(scene.proxy.delivery + path);
  const quick = await fetchOnce(scene.proxy.delivery + path);
  expect({ whole: quick.whole, same: quick.body.equals(large) }).toEqual({ whole: true, same: true });
  await expectCopy(path, large);
  expect((await rest(slow.response)).equals(large)).toBe(true);
  expect(scene.origin.bodyReads(path)).toBe(1);
});

test('a client that comes in the middle gets what has arrived and what follows', async () => {
  const path = '/bytes/late.jpg';
  scene.origin.put(path, large);
  scene.origin.set(path, { kind: 'drip', bytes: mebibyte, everyMs: 20 });
  const first = await begin(scene.proxy.delivery + path);
  await once(first.response, 'readable');
  const [one, other] = await Promise.all([rest(first.response), fetchOnce(scene.proxy.delivery + path)]);
  expect([one.equals(large), other.body.equals(large)]).toEqual([true, true]);
  expect(scene.origin.bodyReads(path)).toBe(1);
});

test('a process that is killed in mid-read leaves no temporary file behind', async () => {
  await using doomed = await start();
  const path = '/bytes/killed.jpg';
  doomed.origin.put(path, large);
  doomed.origin.set(path, { kind: 'stall', after: 6 * mebibyte });
  const { response } = await begin(doomed.proxy.delivery + path);
  let received = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    received += piece.length;
    if (received >= 4 * mebibyte) break;
  }
  await doomed.proxy.kill();
  expect(await readdir(join(doomed.proxy.dataDirectory, 'spool'))).toEqual([]);
});

test('a full disk costs nobody a byte: clients get the whole and the copy is made', async () => {
  await using full = await start();
  // The system refuses every byte past two mebibytes of a file, as a full disk does.
  expect(await runCommand('prlimit', ['--pid', String(full.proxy.pid), `--fsize=${2 * mebibyte}`])).toMatchObject({
    code: 0,
  });
  for (const via of ['bytes', 'remote-url']) {
    const path = `/${via}/full.jpg`;
    full.origin.put(path, large);
    const answers = await Promise.all([1, 2, 3].map(() => fetchOnce(full.proxy.delivery + path)));
    expect(answers.map(({ status, whole, body }) => status === 302 || (whole && body.equals(large)))).toEqual([
      true,
      true,
      true,
    ]);
    expect(await settled(full.proxy, path)).toMatchObject({ stored: true });
    const { headers } = await fetchOnce(full.proxy.delivery + path);
    expect((await fetchOnce(String(headers.location))).body.equals(large)).toBe(true);
  }
});
