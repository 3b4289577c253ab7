import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChaosContent } from '../../support/chaos-content.ts';
import { patternContent } from '../../support/chaos-content.ts';
import { fetchOnce, type Scene, settled, startScene } from './scene.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const video = readFileSync(join(import.meta.dirname, '../../../sample/media/video/lake.mp4'));
const gigabytes = 2 ** 31;
const forever = new Promise<never>(() => {});

let scene: Scene;
beforeAll(async () => {
  scene = await startScene({
    storeDirectory: temporaryDirectory(),
    mappings: [
      { prefix: '/redirect/', upload: { via: 'remote-url' } },
      { prefix: '/origin/', allow: { extensions: [] } },
      { prefix: '/shared/', upload: { via: 'bytes' } },
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
const later = 'Sat, 01 Mar 2025 10:00:01 GMT';
const etag = '"lake-1"';
const part = (range: string, first: number, last: number): Asked => ({
  headers: { range },
  status: 206,
  range: [first, last],
});
const whole = (range: string): Asked => ({ headers: { range }, status: 200 });
const none = (range: string): Asked => ({ headers: { range }, status: 416 });
const asked: Readonly<Record<string, Asked>> = {
  'a range': part('bytes=1000-1999', 1000, 1999),
  'one byte': part('bytes=0-0', 0, 0),
  'the last byte': part(`bytes=${length - 1}-`, length - 1, length - 1),
  'all of it by a range': part('bytes=0-', 0, length - 1),
  'a range to the end': part('bytes=300000-', 300_000, length - 1),
  'a suffix': part('bytes=-500', length - 500, length - 1),
  'a suffix as long as the whole': part(`bytes=-${length}`, 0, length - 1),
  'a suffix longer than the whole': part(`bytes=-${length + 5}`, 0, length - 1),
  'a suffix longer than any number': part(`bytes=-${'9'.repeat(40)}`, 0, length - 1),
  'a range that ends too late': part(`bytes=1000-${length * 2}`, 1000, length - 1),
  'a range that ends beyond 64 bits': part(`bytes=1000-${2n ** 64n}`, 1000, length - 1),
  'a unit in capitals': part('BYTES=0-9', 0, 9),
  'leading zeros': part('bytes=0000-0009', 0, 9),
  'a range past the end': none(`bytes=${length}-`),
  'a range far past the end': none(`bytes=${length * 2}-${length * 3}`),
  'a range past 64 bits': none(`bytes=${2n ** 64n}-`),
  'a range past any number': none(`bytes=${'9'.repeat(400)}-${'9'.repeat(401)}`),
  'the last none': none('bytes=-0'),
  // What may be ignored (RFC 9110 §14.2) is, everywhere.
  'several ranges': whole('bytes=0-9,1000-1009'),
  'ranges that overlap': whole('bytes=0-9,5-20'),
  'ranges that touch': whole('bytes=0-9,10-19'),
  'the same range often': whole(`bytes=${'0-9,'.repeat(200)}0-9`),
  'a range and one past the end': whole(`bytes=0-9,${length}-`),
  'ranges out of order': whole('bytes=-5,0-9'),
  'an empty list': whole('bytes='),
  'a list with a hole': whole('bytes=,0-9'),
  'a range the wrong way round': whole('bytes=9-0'),
  'a range without numbers': whole('bytes=-'),
  'what is no range': whole('bytes=abc'),
  'letters where numbers should be': whole('bytes=a-9'),
  'a negative suffix': whole('bytes=--9'),
  'a signed range': whole('bytes=+0-9'),
  'a hexadecimal range': whole('bytes=0x0-0x9'),
  'a range in the form of an answer': whole('bytes 0-9/100'),
  'spaces within': whole('bytes=0 - 9'),
  'a unit nobody knows': whole('frames=1-2'),
  'no unit': whole('0-9'),
  'a range of the version it has': { headers: { range: 'bytes=0-9', 'if-range': etag }, status: 206, range: [0, 9] },
  'a range of the version by its date': {
    headers: { range: 'bytes=0-9', 'if-range': lastModified },
    status: 206,
    range: [0, 9],
  },
  'a range of another version': { headers: { range: 'bytes=0-9', 'if-range': '"other"' }, status: 200 },
  // Strong comparison (§13.1.5): a weak tag never names bytes.
  'a range of the version by a weak tag': { headers: { range: 'bytes=0-9', 'if-range': `W/${etag}` }, status: 200 },
  'a range of a version of another date': { headers: { range: 'bytes=0-9', 'if-range': later }, status: 200 },
  'a range past the end of another version': {
    headers: { range: `bytes=${length}-`, 'if-range': '"other"' },
    status: 200,
  },
  'If-Range without a range': { headers: { 'if-range': etag }, status: 200 },
  // The condition comes before the range (§13.2.2).
  'a range unless it has the version': { headers: { range: 'bytes=0-9', 'if-none-match': etag }, status: 304 },
  'a range unless it has another version': {
    headers: { range: 'bytes=0-9', 'if-none-match': '"x"' },
    status: 206,
    range: [0, 9],
  },
  'the version it has by ETag': { headers: { 'if-none-match': etag }, status: 304 },
  'the version it has by a weak tag': { headers: { 'if-none-match': `W/${etag}` }, status: 304 },
  'the version it has among others': { headers: { 'if-none-match': `"x", ${etag}` }, status: 304 },
  'any version': { headers: { 'if-none-match': '*' }, status: 304 },
  'the version it has by date': { headers: { 'if-modified-since': lastModified }, status: 304 },
  'a version newer than another': { headers: { 'if-none-match': '"x"' }, status: 200 },
  'another version of the same date': {
    headers: { 'if-none-match': '"x"', 'if-modified-since': lastModified },
    status: 200,
  },
};

const answers = {
  'from the origin': '/origin/lake.mp4',
  'from the read that others share': '/shared/lake.mp4',
  'from the stored copy': '/stream/lake.mp4',
};

describe.each(Object.entries(answers))('%s', (source, path) => {
  beforeAll(async () => {
    scene.origin.put(path, video, { type: 'video/mp4', etag, lastModified });
    if (source === 'from the origin') return;
    scene.store.intervene(source === 'from the stored copy' ? undefined : () => ({ kind: 'hold', until: forever }));
    await fetchOnce(scene.proxy.delivery + path);
    if (source === 'from the stored copy') expect(await settled(scene.proxy, path)).toMatchObject({ stored: true });
  });

  test.each(Object.entries(asked))(
    'a client that asks for %s gets what RFC 9110 says',
    async (_, { headers, status, range }) => {
      const answer = await fetchOnce(scene.proxy.delivery + path, { headers });
      expect(answer).toMatchObject({ status, whole: true });
      expect(answer.headers['cache-status']).toMatch(source === 'from the stored copy' ? /hit/ : /fwd=uri-miss/);
      if (status === 206 && range !== undefined) {
        expect(answer.headers['content-range']).toBe(`bytes ${range[0]}-${range[1]}/${length}`);
        expect(answer.body.equals(video.subarray(range[0], range[1] + 1))).toBe(true);
      } else if (status === 200) expect(answer.body.equals(video)).toBe(true);
      else if (status === 416) expect(answer.headers['content-range']).toBe(`bytes */${length}`);
      else expect({ bytes: answer.body.length, etag: answer.headers.etag }).toEqual({ bytes: 0, etag });
      if (status === 206 || status === 200)
        expect(answer.headers).toMatchObject({
          'content-length': String(answer.body.length),
          'content-type': 'video/mp4',
          etag,
          'last-modified': lastModified,
        });
    },
  );

  test.each(Object.entries(asked))(
    'HEAD says of %s what GET would without a range, for it has none (§14.2)',
    async (_, { headers, status }) => {
      const answer = await fetchOnce(scene.proxy.delivery + path, { method: 'HEAD', headers });
      const expected = status === 304 ? 304 : 200;
      expect(answer).toMatchObject({ status: expected, headers: { etag, 'last-modified': lastModified } });
      expect(answer.headers['content-range']).toBeUndefined();
      if (expected === 200)
        expect(answer.headers).toMatchObject({ 'content-length': String(length), 'content-type': 'video/mp4' });
      expect(answer.body.length).toBe(0);
    },
  );

  if (source === 'from the read that others share') {
    test('and the origin is asked for no part that is there', async () => {
      const before = scene.origin.count(path);
      await fetchOnce(scene.proxy.delivery + path, { headers: { range: 'bytes=1000-1999' } });
      expect(scene.origin.count(path)).toBe(before);
    });
  }
});

test('neither the origin nor the store is ever asked for more than one part, or by HEAD for one', () => {
  const ofOrigin = scene.origin.requests.map(({ method, headers }) => ({ method, range: headers.range }));
  const ranges = [...ofOrigin.map(({ range }) => range), ...scene.store.received.map(({ range }) => range)];
  const asked = ranges.filter((range) => range !== undefined);
  expect(asked.length).toBeGreaterThan(20);
  expect(asked.filter((range) => !/^bytes=(\d{1,16}-\d{0,16}|-\d{1,16})$/.test(range))).toEqual([]);
  expect(ofOrigin.filter(({ method, range }) => method === 'HEAD' && range !== undefined)).toEqual([]);
});
