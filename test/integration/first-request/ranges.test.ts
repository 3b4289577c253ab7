import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChaosContent } from '../../support/chaos-content.ts';
import { patternContent } from '../../support/chaos-content.ts';
import { fetchOnce, type Scene, settled, startScene } from './scene.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const video = readFileSync(join(import.meta.dirname, '../../../sample/media/video/lake.mp4'));
const gigabytes = 2 ** 31;

let scene: Scene;
beforeAll(async () => {
  scene = await startScene({
    storeDirectory: temporaryDirectory(),
    mappings: [
      { prefix: '/redirect/', upload: { via: 'remote-url' } },
      { prefix: '/stream/', upload: { via: 'bytes' }, warm: 'stream' },
    ],
  });
});
afterAll(() => scene?.[Symbol.asyncDispose]());

/** A video by its beginning, of any length, that counts the bytes that are taken of it. */
function longVideo(length: number): ChaosContent & { taken: number } {
  const pattern = patternContent(length);
  return {
    length,
    taken: 0,
    subarray(start, end) {
      const bytes = pattern.subarray(start, end);
      if (start < 4_096) bytes.set(video.subarray(start, Math.min(end, 4_096)));
      // What the origin reads to make an ETag is nobody's request.
      this.taken += bytes.length;
      return bytes;
    },
  };
}

test('seeking through a cold 2 GB video reads what is asked for, neither the whole nor the whole per seek', async () => {
  const path = '/redirect/long.mp4';
  const content = longVideo(gigabytes);
  scene.origin.put(path, content, { type: 'video/mp4', etag: '"long"' });
  // The copy is not made while the client seeks, so that all that is read is read for the client.
  const seeking = Promise.withResolvers<void>();
  scene.store.intervene(() => ({ kind: 'hold', until: seeking.promise }));
  content.taken = 0;
  const seeks = Array.from({ length: 12 }, (_, index) => Math.floor((index * gigabytes) / 12));
  for (const start of [...seeks, gigabytes - 1_000]) {
    const end = Math.min(start + 99_999, gigabytes - 1);
    const part = await fetchOnce(scene.proxy.delivery + path, { headers: { range: `bytes=${start}-${end}` } });
    expect(part).toMatchObject({ status: 206, whole: true });
    expect(part.headers['content-range']).toBe(`bytes ${start}-${end}/${gigabytes}`);
    expect(part.body.equals(content.subarray(start, end + 1))).toBe(true);
  }
  // Twice the parts, for the comparison above, and the beginning once or twice.
  expect(content.taken).toBeLessThan(2 * 13 * 100_000 + 4 * 65_536);
  expect(scene.origin.bodyReads(path)).toBe(0);
  scene.store.intervene(() => ({ kind: 'answer', status: 500, body: '{"error":{"message":"enough"}}' }));
  seeking.resolve();
});

interface Asked {
  readonly headers: Readonly<Record<string, string>>;
  readonly status: number;
  readonly range?: readonly [number, number];
}

const length = video.length;
const lastModified = 'Sat, 01 Mar 2025 10:00:00 GMT';
const etag = '"lake-1"';
const asked: Readonly<Record<string, Asked>> = {
  'a range': { headers: { range: 'bytes=1000-1999' }, status: 206, range: [1000, 1999] },
  'a range to the end': { headers: { range: 'bytes=300000-' }, status: 206, range: [300_000, length - 1] },
  'a suffix': { headers: { range: 'bytes=-500' }, status: 206, range: [length - 500, length - 1] },
  'a suffix longer than the whole': { headers: { range: `bytes=-${length + 5}` }, status: 206, range: [0, length - 1] },
  'a range that ends too late': {
    headers: { range: `bytes=1000-${length * 2}` },
    status: 206,
    range: [1000, length - 1],
  },
  'a range past the end': { headers: { range: `bytes=${length}-` }, status: 416 },
  'several ranges': { headers: { range: 'bytes=0-9,1000-1009' }, status: 200 },
  'what is no range': { headers: { range: 'bytes=abc' }, status: 200 },
  'a unit nobody knows': { headers: { range: 'frames=1-2' }, status: 200 },
  'a range of the version it has': { headers: { range: 'bytes=0-9', 'if-range': etag }, status: 206, range: [0, 9] },
  'a range of the version by its date': {
    headers: { range: 'bytes=0-9', 'if-range': lastModified },
    status: 206,
    range: [0, 9],
  },
  'a range of another version': { headers: { range: 'bytes=0-9', 'if-range': '"other"' }, status: 200 },
  'the version it has by ETag': { headers: { 'if-none-match': etag }, status: 304 },
  'the version it has among others': { headers: { 'if-none-match': `"x", ${etag}` }, status: 304 },
  'the version it has by date': { headers: { 'if-modified-since': lastModified }, status: 304 },
  'a version newer than another': { headers: { 'if-none-match': '"x"' }, status: 200 },
};

describe.each(['cold', 'warm'])('%s, streamed', (temperature) => {
  const path = `/stream/${temperature}.mp4`;
  beforeAll(async () => {
    scene.origin.put(path, video, { type: 'video/mp4', etag, lastModified });
    if (temperature === 'cold') {
      scene.store.intervene(() => ({ kind: 'hold', until: new Promise(() => {}) }));
      return;
    }
    scene.store.intervene(undefined);
    await fetchOnce(scene.proxy.delivery + path);
    expect(await settled(scene.proxy, path)).toMatchObject({ stored: true });
  });

  test.each(Object.entries(asked))(
    'a client that asks for %s gets what RFC 9110 says',
    async (_, { headers, status, range }) => {
      const answer = await fetchOnce(scene.proxy.delivery + path, { headers });
      expect(answer).toMatchObject({ status, whole: true });
      expect(answer.headers['cache-status']).toMatch(temperature === 'cold' ? /fwd=uri-miss/ : /hit/);
      if (status === 206 && range !== undefined) {
        expect(answer.headers['content-range']).toBe(`bytes ${range[0]}-${range[1]}/${length}`);
        expect(answer.body.equals(video.subarray(range[0], range[1] + 1))).toBe(true);
      } else if (status === 200) expect(answer.body.equals(video)).toBe(true);
      else if (status === 416) expect(answer.headers['content-range']).toBe(`bytes */${length}`);
      else expect({ bytes: answer.body.length, etag: answer.headers.etag }).toEqual({ bytes: 0, etag });
    },
  );

  test('HEAD says what GET would, also of a range', async () => {
    const whole = await fetchOnce(scene.proxy.delivery + path, { method: 'HEAD' });
    expect(whole).toMatchObject({
      status: 200,
      headers: { 'content-length': String(length), 'content-type': 'video/mp4', etag },
    });
    expect(whole.body.length).toBe(0);
  });
});
