import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AssetFailure } from '../../src/asset/failure.ts';
import type { Reason } from '../../src/asset/reason.ts';
import type { Origin, OriginBody } from '../../src/origin/origin.ts';
import type { Behaviour } from '../support/chaos-behaviour.ts';
import { patternContent } from '../support/chaos-content.ts';
import type { ChaosOrigin } from '../support/chaos-origin.ts';

/** What a driver's test gives the suite: origins that take at most 1 MB a body and may connect to this machine. */
export interface OriginBench {
  readonly origin: Origin;
  /** The same with `impatientNetwork`. */
  readonly impatient: Origin;
  readonly chaos: ChaosOrigin;
  /** The object's URL as the port takes it. */
  urlOf(name: string): string;
  /** The path at which the chaos origin is asked for it. */
  pathOf(name: string): string;
  close(): Promise<void>;
}

/** The failure a promise rejects with; anything else fails the test. */
export async function failureOf(work: Promise<unknown>): Promise<AssetFailure> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(AssetFailure);
  return outcome as AssetFailure;
}

export function describeOrigin(driver: string, start: () => Promise<OriginBench>): void {
  describe(`origin by ${driver}`, () => {
    let bench: OriginBench;
    const content = Buffer.from(patternContent(200_000).subarray(0, 200_000));
    const md5 = createHash('md5').update(content).digest('hex');

    beforeAll(async () => {
      bench = await start();
    });
    afterAll(() => bench.close());

    /** A file of its own for each test, with what is to happen to requests for it. */
    let files = 0;
    const put = (behaviour?: Behaviour, headers: Record<string, string> = {}) => {
      files += 1;
      const name = `pictures/file-${files}.jpg`;
      const path = bench.pathOf(name);
      const file = bench.chaos.put(path, content, { headers });
      bench.chaos.set(path, behaviour);
      return { url: bench.urlOf(name), path, file };
    };
    const read = async (opened: Promise<OriginBody>) => buffer((await opened).body);

    describe('a good answer', () => {
      test('gives every byte, its length and what the origin says of the object', async () => {
        const { url, file } = put(undefined, {
          'cache-control': 'max-age=60',
          'content-disposition': 'inline; filename="a.jpg"',
          'content-language': 'de',
        });
        const opened = await bench.origin.open({ url });
        expect(opened).toMatchObject({ status: 200, length: content.length, framed: true });
        expect(opened.facts).toEqual({
          bytes: content.length,
          contentType: 'image/jpeg',
          contentDisposition: 'inline; filename="a.jpg"',
          contentLanguage: 'de',
          cacheControl: 'max-age=60',
          etag: file.etag,
          lastModified: file.lastModified,
        });
        expect((await buffer(opened.body)).equals(content)).toBe(true);
      });

      test('keeps end-to-end headers and drops those of the connection', async () => {
        const { url } = put(undefined, { 'x-origin': 'yes', connection: 'x-hop, keep-alive', 'x-hop': 'no' });
        const opened = await bench.origin.open({ url });
        opened.body.destroy();
        expect(opened.headers).toMatchObject({ 'x-origin': 'yes', 'accept-ranges': 'bytes' });
        expect(Object.keys(opened.headers)).not.toEqual(
          expect.arrayContaining([expect.stringMatching(/^(connection|keep-alive|x-hop)$/)]),
        );
      });

      test('hands on the MD5 that the origin states', async () => {
        const { url } = put(undefined, { 'content-md5': Buffer.from(md5, 'hex').toString('base64') });
        const opened = await bench.origin.open({ url });
        opened.body.destroy();
        expect(opened.md5).toBe(md5);
      });

      test('of no bytes at all is whole', async () => {
        bench.chaos.put(bench.pathOf('empty.jpg'), '');
        const opened = await bench.origin.open({ url: bench.urlOf('empty.jpg') });
        expect(opened).toMatchObject({ status: 200, length: 0, framed: true });
        expect(await buffer(opened.body)).toHaveLength(0);
      });

      test('in chunks is framed but has no length', async () => {
        const { url } = put({ kind: 'chunked' });
        const opened = await bench.origin.open({ url });
        expect(opened.framed).toBe(true);
        expect(opened.length).toBeUndefined();
        expect((await buffer(opened.body)).equals(content)).toBe(true);
      });

      test('that only the end of the connection ends passes, and is told to prove nothing', async () => {
        const { url } = put({ kind: 'close-delimited' });
        const opened = await bench.origin.open({ url });
        expect(opened.framed).toBe(false);
        expect((await buffer(opened.body)).equals(content)).toBe(true);
      });

      test('compressed against our wish stays compressed and says so', async () => {
        const { url } = put({ kind: 'gzip' });
        const opened = await bench.origin.open({ url });
        expect(opened.facts.contentEncoding).toBe('gzip');
        const bytes = await buffer(opened.body);
        expect(bytes.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
        expect(bytes).toHaveLength(opened.length ?? Number.NaN);
      });
    });

    describe('the request', () => {
      test('asks for the object as it is and carries headers of our own only', async () => {
        const { url, path } = put();
        await read(bench.origin.open({ url, conditions: { cookie: 'session=1', 'x-forwarded-for': '10.0.0.1' } }));
        const { headers } = bench.chaos.requests.filter((request) => request.path === path)[0] ?? {};
        expect(headers).toMatchObject({ 'accept-encoding': 'identity', via: '1.1 lazyferry', 'cdn-loop': 'lazyferry' });
        const own = /^(host|connection|accept|accept-encoding|user-agent|via|cdn-loop|authorization|x-amz-.*)$/;
        expect(Object.keys(headers ?? {}).filter((name) => !own.test(name))).toEqual([]);
      });

      test('for a range gets that part, and the whole length beside it', async () => {
        const { url } = put();
        const opened = await bench.origin.open({ url, range: 'bytes=1000-1999' });
        expect(opened).toMatchObject({ status: 206, length: 1000, facts: { bytes: content.length } });
        expect(opened.headers['content-range']).toBe(`bytes 1000-1999/${content.length}`);
        expect((await buffer(opened.body)).equals(content.subarray(1000, 2000))).toBe(true);
      });

      test('for the last bytes gets them', async () => {
        const { url } = put();
        expect((await read(bench.origin.open({ url, range: 'bytes=-10' }))).equals(content.subarray(-10))).toBe(true);
      });

      test('for a range beyond the end gets 416', async () => {
        const { url } = put();
        const opened = await bench.origin.open({ url, range: 'bytes=900000-' });
        await buffer(opened.body);
        expect(opened).toMatchObject({ status: 416, facts: { bytes: content.length } });
      });

      test('for a range of another version gets the whole new one', async () => {
        const { url, file } = put();
        const same = await bench.origin.open({
          url,
          range: 'bytes=0-9',
          conditions: { 'if-range': file.etag ?? '' },
        });
        const other = await bench.origin.open({ url, range: 'bytes=0-9', conditions: { 'if-range': '"other"' } });
        same.body.destroy();
        other.body.destroy();
        expect([same.status, other.status]).toEqual([206, 200]);
      });

      test('with the right ETag gets 304 and no body', async () => {
        const { url, file } = put();
        const opened = await bench.origin.open({ url, conditions: { 'if-none-match': file.etag ?? '' } });
        expect(opened).toMatchObject({ status: 304, length: 0, framed: true, facts: { etag: file.etag } });
        expect(await buffer(opened.body)).toHaveLength(0);
      });

      test('with the time of the last change gets 304', async () => {
        const { url, file } = put();
        const opened = await bench.origin.open({ url, conditions: { 'if-modified-since': file.lastModified ?? '' } });
        opened.body.destroy();
        expect(opened.status).toBe(304);
      });

      test('with a condition that cannot stand in a header is asked for whole', async () => {
        const { url } = put();
        const opened = await bench.origin.open({ url, range: 'bytes=0-9', conditions: { 'if-range': '"a\r\nx: y"' } });
        opened.body.destroy();
        expect(opened.status).toBe(200);
      });

      test('to a URL outside the origin is never sent', async () => {
        const before = bench.chaos.requests.length;
        const outside = ['../secret', '%2e%2e/secret', 'a/..%2f..%2fsecret', 'a/%252e%252e%252fsecret', '..%5csecret'];
        for (const name of outside) {
          expect(await failureOf(bench.origin.open({ url: bench.urlOf(name) }))).toMatchObject({
            reason: 'origin-blocked',
          });
        }
        expect(bench.chaos.requests).toHaveLength(before);
      });
    });

    describe('a complete answer that is no object', () => {
      test.each([401, 403, 404, 410, 429, 500, 503])('%i is a response with its body', async (status) => {
        const { url } = put({ kind: 'status', status, body: 'sorry', headers: { 'retry-after': '7' } });
        const opened = await bench.origin.open({ url });
        expect(opened).toMatchObject({ status, headers: { 'retry-after': '7' } });
        expect(await buffer(opened.body)).toEqual(Buffer.from('sorry'));
      });

      test('a page that says "not found" with 200 passes with its type', async () => {
        const { url } = put({ kind: 'soft-404' });
        const opened = await bench.origin.open({ url });
        await buffer(opened.body);
        expect(opened).toMatchObject({ status: 200, facts: { contentType: 'text/html; charset=utf-8' } });
      });
    });

    describe('no answer', () => {
      const cases: readonly (readonly [string, Behaviour, Reason])[] = [
        ['silence', { kind: 'silent' }, 'origin-timeout'],
        ['a reset before the head', { kind: 'reset', after: 'head' }, 'origin-error'],
        ['something that is not HTTP', { kind: 'raw', bytes: '220 mail.example.com ESMTP\r\n' }, 'origin-error'],
        ['a length and chunks at once', { kind: 'both-framings' }, 'origin-error'],
        [
          'two different lengths',
          { kind: 'raw', bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\nContent-Length: 2\r\n\r\nab' },
          'origin-error',
        ],
        [
          'a transfer coding nobody asked for',
          { kind: 'raw', bytes: 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n' },
          'origin-error',
        ],
        [
          'a head without end',
          { kind: 'raw', bytes: `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(40_000)}\r\n\r\n` },
          'origin-error',
        ],
      ];
      test.each(cases)('but %s rejects', async (_, behaviour, reason) => {
        const { url } = put(behaviour);
        const origin = reason === 'origin-timeout' ? bench.impatient : bench.origin;
        expect(await failureOf(origin.open({ url }))).toMatchObject({ reason });
      });
    });

    describe('a body that is not whole', () => {
      const cases: readonly (readonly [string, Behaviour, Reason])[] = [
        ['cut short of its length', { kind: 'truncate', after: 1000, framing: 'length' }, 'origin-truncated'],
        ['cut between chunks', { kind: 'truncate', after: 1000, framing: 'chunked' }, 'origin-truncated'],
        ['with a broken chunk', { kind: 'broken-chunks', after: 1000 }, 'origin-truncated'],
        ['reset on the way', { kind: 'reset', after: 1000 }, 'origin-truncated'],
        ['shorter than stated', { kind: 'state-length', length: 300_000 }, 'origin-truncated'],
        ['longer than stated', { kind: 'state-length', length: 1000 }, 'origin-error'],
        ['that stalls', { kind: 'stall', after: 1000 }, 'origin-timeout'],
        ['that drips', { kind: 'drip', bytes: 1, everyMs: 20 }, 'origin-timeout'],
        ['without end, in chunks', { kind: 'endless', framing: 'chunked' }, 'too-large'],
        ['without end, until the connection ends', { kind: 'endless', framing: 'close' }, 'too-large'],
      ];
      test.each(cases)('%s fails and never ends in good order', async (_, behaviour, reason) => {
        const { url } = put(behaviour);
        const origin = reason === 'origin-timeout' ? bench.impatient : bench.origin;
        expect(await failureOf(read(origin.open({ url })))).toMatchObject({ reason });
      });

      test('because it is too large fails before its first byte where the length says so', async () => {
        bench.chaos.put(bench.pathOf('huge.mp4'), patternContent(2_000_000_000));
        const opened = await bench.origin.open({ url: bench.urlOf('huge.mp4') });
        expect(opened.length).toBe(2_000_000_000);
        let received = 0;
        opened.body.on('data', (chunk: Buffer) => {
          received += chunk.length;
        });
        expect(await failureOf(buffer(opened.body))).toMatchObject({ reason: 'too-large' });
        expect(received).toBe(0);
      });

      test('may be larger than the limit where the request lifts it', async () => {
        bench.chaos.put(bench.pathOf('large.mp4'), patternContent(2_000_000));
        const url = bench.urlOf('large.mp4');
        expect(await read(bench.origin.open({ url, maxBytes: Number.POSITIVE_INFINITY }))).toHaveLength(2_000_000);
      });
    });

    describe('redirects', () => {
      test('within the host are followed', async () => {
        const { path } = put();
        const { url } = put({ kind: 'redirect', to: path, status: 301 });
        expect((await read(bench.origin.open({ url }))).equals(content)).toBe(true);
      });

      test('in a circle are told apart from too many', async () => {
        const loop = put();
        bench.chaos.set(loop.path, { kind: 'redirect', to: loop.path });
        const hops = [put(), put(), put(), put(), put()];
        for (const [index, hop] of hops.entries()) {
          bench.chaos.set(hop.path, { kind: 'redirect', to: hops[index + 1]?.path ?? put().path });
        }
        const circle = await failureOf(bench.origin.open({ url: loop.url }));
        const tooMany = await failureOf(bench.origin.open({ url: hops[0]?.url ?? '' }));
        expect(circle).toMatchObject({ reason: 'origin-error', message: expect.stringContaining('loop') });
        expect(tooMany).toMatchObject({ reason: 'origin-error', message: expect.stringContaining('more than 3') });
      });

      test('to another host are refused', async () => {
        const { url } = put({ kind: 'redirect', to: 'https://elsewhere.test/a.jpg' });
        expect(await failureOf(bench.origin.open({ url }))).toMatchObject({ reason: 'origin-blocked' });
      });
    });

    describe('describe', () => {
      test('says what open would, without the body', async () => {
        const { url, path } = put();
        const described = await bench.origin.describe({ url });
        const { body, ...opened } = await bench.origin.open({ url });
        body.destroy();
        expect(described.facts).toEqual(opened.facts);
        expect(described).toMatchObject({ status: 200, length: content.length, framed: true });
        expect(bench.chaos.count(path, 'HEAD')).toBe(1);
      });

      test.each([400, 403, 405, 501])('asks for one byte where HEAD is refused with %i', async (status) => {
        const { url, path } = put({ kind: 'no-head', status });
        const described = await bench.origin.describe({ url });
        expect(described).toMatchObject({ status: 200, length: content.length, facts: { bytes: content.length } });
        expect(described.headers).toMatchObject({ 'content-length': String(content.length) });
        expect(described.headers).not.toHaveProperty('content-range');
        expect(bench.chaos.bodyReads(path)).toBe(0);
      });

      test('of an empty object where HEAD is refused says zero bytes', async () => {
        bench.chaos.put(bench.pathOf('empty-too.jpg'), '');
        bench.chaos.set(bench.pathOf('empty-too.jpg'), { kind: 'no-head', status: 405 });
        const described = await bench.origin.describe({ url: bench.urlOf('empty-too.jpg') });
        expect(described).toMatchObject({ status: 200, length: 0 });
      });

      test.each([404, 410, 429, 503])('takes %i for an answer about the object', async (status) => {
        const { url, path } = put({ kind: 'status', status });
        expect(await bench.origin.describe({ url })).toMatchObject({ status });
        expect(bench.chaos.count(path)).toBe(1);
      });

      test('with the right ETag says 304', async () => {
        const { url, file } = put();
        expect(await bench.origin.describe({ url, conditions: { 'if-none-match': file.etag ?? '' } })).toMatchObject({
          status: 304,
        });
      });
    });

    describe('the caller', () => {
      test('may leave before the answer, and gets its own reason', async () => {
        const { url, path } = put({ kind: 'silent' });
        const leave = new AbortController();
        const opened = bench.origin.open({ url, signal: leave.signal });
        await bench.chaos.requested(path);
        const reason = new Error('gone');
        leave.abort(reason);
        await expect(opened).rejects.toBe(reason);
      });

      test('may leave during the body', async () => {
        const { url } = put({ kind: 'stall', after: 1000 });
        const leave = new AbortController();
        const { body } = await bench.origin.open({ url, signal: leave.signal });
        const reading = buffer(body);
        leave.abort();
        await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
      });
    });

    test('leaves no connection behind, whatever happened', async () => {
      await Promise.all([bench.origin.close(), bench.impatient.close()]);
      await bench.chaos.drained();
      expect(bench.chaos.openSockets).toBe(0);
    });
  });
}
