import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { AssetFailure } from '../../../src/asset/failure.ts';
import {
  type ReceivedRequest,
  type ScriptedServer,
  type Step,
  startScriptedServer,
} from '../../support/scripted-server.ts';
import {
  bytesUpload,
  driverFor,
  failing,
  md5,
  mebibyte,
  noLimits,
  rejection,
  result,
  streamOf,
  urlUpload,
} from './harness.ts';

const part: Step = { body: { done: false, bytes: 1, kind: 'upload', resource_type: 'image', public_id: 'site/a' } };
const chunkBytes = 5 * mebibyte + 1;
const content = randomBytes(2 * chunkBytes + 1000);
const whole = result({ bytes: content.length, etag: md5(content), done: true });

function isUpload({ url }: ReceivedRequest): boolean {
  return url.endsWith('/upload');
}

function ranges(server: ScriptedServer): (string | undefined)[] {
  return server.requests.filter(isUpload).map(({ headers }) => headers['content-range']);
}

async function contentOf(request: ReceivedRequest): Promise<Buffer> {
  const file = (await request.form()).get('file');
  if (!(file instanceof File)) throw new Error('no file part');
  return Buffer.from(await file.arrayBuffer());
}

const fast = { chunkBytes, chunkRetryDelaysMs: [0, 0] };

describe('an upload in chunks', () => {
  it('sends a file larger than a chunk piece by piece under one upload ID, each signed, with the real total', async () => {
    const server = await startScriptedServer([noLimits, part, part, whole]);
    const stored = await driverFor(server, fast).upload(bytesUpload(content));
    expect(stored).toMatchObject({ bytes: content.length, md5: md5(content), existing: false });

    const last = content.length - 1;
    expect(ranges(server)).toEqual([
      `bytes 0-${chunkBytes - 1}/${content.length}`,
      `bytes ${chunkBytes}-${2 * chunkBytes - 1}/${content.length}`,
      `bytes ${2 * chunkBytes}-${last}/${content.length}`,
    ]);
    const uploads = server.requests.filter(isUpload);
    expect(new Set(uploads.map(({ headers }) => headers['x-unique-upload-id'])).size).toBe(1);
    expect(Buffer.concat(await Promise.all(uploads.map(contentOf))).equals(content)).toBe(true);
    for (const upload of uploads) expect((await upload.form()).get('signature')).toMatch(/^[0-9a-f]{40}$/);
  });

  it('gives no total before the last chunk where the origin tells no length', async () => {
    const server = await startScriptedServer([part, part, whole]);
    await driverFor(server, fast).upload(bytesUpload(content, {}));
    expect(ranges(server)).toEqual([
      `bytes 0-${chunkBytes - 1}/-1`,
      `bytes ${chunkBytes}-${2 * chunkBytes - 1}/-1`,
      `bytes ${2 * chunkBytes}-${content.length - 1}/${content.length}`,
    ]);
  });

  it('ends with the last full chunk where the length is a multiple of the chunk', async () => {
    const server = await startScriptedServer([part, whole]);
    await driverFor(server, fast).upload(bytesUpload(content.subarray(0, 2 * chunkBytes), {}));
    expect(ranges(server).at(-1)).toBe(`bytes ${chunkBytes}-${2 * chunkBytes - 1}/${2 * chunkBytes}`);
  });

  it('never sends a chunk smaller than Cloudinary takes, whatever is configured', async () => {
    const server = await startScriptedServer([part, part, whole]);
    await driverFor(server, { chunkBytes: 1000 }).upload(bytesUpload(content, {}));
    expect(ranges(server)[0]).toBe(`bytes 0-${5 * mebibyte}/-1`);
  });

  it('sends a chunk again, from memory, when the store fails on it', async () => {
    let opened = 0;
    const server = await startScriptedServer([
      part,
      { status: 500, body: 'oops' },
      { raw: (request) => request.socket.destroy() },
      { raw: (request) => request.socket.destroy() },
      part,
      whole,
    ]);
    const source = {
      kind: 'bytes',
      filename: 'a.jpg',
      open: (start: number) => {
        opened += 1;
        return streamOf(content, start);
      },
    } as const;
    await expect(driverFor(server, fast).upload(urlUpload({ source }))).resolves.toMatchObject({ md5: md5(content) });
    expect(opened).toBe(1);
    const [first, failed, again, last] = server.requests;
    if (first === undefined || failed === undefined || again === undefined || last === undefined)
      throw new Error('4 requests');
    expect(again.headers['content-range']).toBe(failed.headers['content-range']);
    expect((await contentOf(again)).equals(await contentOf(failed))).toBe(true);
  });

  it('waits as long as a rate limit asks where that is short, and gives up where it is long', async () => {
    const limited = (seconds: number): Step => ({
      status: 420,
      headers: { 'retry-after': String(seconds) },
      body: { error: { message: 'Rate Limit Exceeded' } },
    });
    const server = await startScriptedServer([part, limited(0), part, whole]);
    await expect(driverFor(server, fast).upload(bytesUpload(content, {}))).resolves.toBeDefined();

    const strict = await startScriptedServer([part, limited(3600), part, whole]);
    expect(await rejection(driverFor(strict, fast).upload(bytesUpload(content, {})))).toMatchObject({
      reason: 'store-rate-limited',
      retryAfterMs: 3_600_000,
    });
    expect(strict.requests).toHaveLength(2);
  });

  it('gives up on a chunk that fails again and again, and on a refusal at once', async () => {
    const failing = await startScriptedServer([part, { status: 503 }]);
    expect(await rejection(driverFor(failing, fast).upload(bytesUpload(content, {})))).toMatchObject({
      reason: 'store-unreachable',
    });
    expect(failing.requests).toHaveLength(1 + 1 + fast.chunkRetryDelaysMs.length);

    const refusing = await startScriptedServer([
      part,
      { status: 400, body: { error: { message: 'Invalid image file' } } },
    ]);
    expect(await rejection(driverFor(refusing, fast).upload(bytesUpload(content, {})))).toMatchObject({
      reason: 'wrong-type',
    });
    expect(refusing.requests).toHaveLength(2);
  });

  it('goes on where the origin broke off, without reading it from the start', async () => {
    const server = await startScriptedServer([noLimits, part, part, whole]);
    const starts: number[] = [];
    const source = {
      kind: 'bytes',
      filename: 'a.jpg',
      length: content.length,
      open: (start: number) => {
        starts.push(start);
        if (starts.length > 2) return streamOf(content, start);
        const breaks = starts.length * chunkBytes;
        return Readable.from(
          (async function* () {
            yield content.subarray(start, breaks);
            throw new AssetFailure('origin-truncated', { detail: 'broke off' });
          })(),
          { objectMode: false },
        );
      },
    } as const;
    await driverFor(server, fast).upload(urlUpload({ source }));
    expect(starts).toEqual([0, chunkBytes, 2 * chunkBytes]);
    const sent = Buffer.concat(await Promise.all(server.requests.filter(isUpload).map(contentOf)));
    expect(sent.equals(content)).toBe(true);
  });

  it('passes the origin’s failure on where it does not pass, or comes back too often', async () => {
    for (const [reason, opens] of [
      ['origin-denied', 1],
      ['origin-error', 4],
    ] as const) {
      const server = await startScriptedServer([part]);
      let opened = 0;
      const failure = new AssetFailure(reason, { detail: 'no' });
      const source = {
        kind: 'bytes',
        filename: 'a.jpg',
        open: () => {
          opened += 1;
          return failing(failure);
        },
      } as const;
      expect(await rejection(driverFor(server, fast).upload(urlUpload({ source })))).toBe(failure);
      expect(opened).toBe(opens);
      expect(server.requests).toHaveLength(0);
    }
  });

  it('tells the origin’s failure, not that it cannot be read on from there', async () => {
    const server = await startScriptedServer([part]);
    const broken = new AssetFailure('origin-truncated', { detail: 'broke off' });
    const gone = new AssetFailure('too-large', { detail: 'no longer kept' });
    const streams = [broken, gone].map(failing);
    const source = { kind: 'bytes', filename: 'a.jpg', open: () => streams.shift() ?? failing(gone) } as const;
    expect(await rejection(driverFor(server, fast).upload(urlUpload({ source })))).toBe(broken);
  });

  it('tells why it ended, not an earlier break that was mended', async () => {
    const server = await startScriptedServer([part]);
    const denied = new AssetFailure('origin-denied', { detail: 'no more' });
    const streams = [
      failing(new AssetFailure('origin-truncated', { detail: 'broke off' })),
      Readable.from(
        (async function* () {
          yield Buffer.from('abc');
          throw denied;
        })(),
        { objectMode: false },
      ),
    ];
    const source = { kind: 'bytes', filename: 'a.jpg', open: () => streams.shift() ?? failing(denied) } as const;
    expect(await rejection(driverFor(server, fast).upload(urlUpload({ source })))).toBe(denied);
  });

  it('goes on after an answer to a chunk that says nothing of what is done', async () => {
    const server = await startScriptedServer([{ body: {} }, { body: { public_id: 'site/a' } }, whole]);
    await expect(driverFor(server, fast).upload(bytesUpload(content, {}))).resolves.toMatchObject({
      md5: md5(content),
    });
  });

  it('never sends the last chunk of an origin that sends fewer or more bytes than it said', async () => {
    for (const length of [content.length + 1, content.length - 1]) {
      const server = await startScriptedServer([noLimits, part]);
      expect(await rejection(driverFor(server, fast).upload(bytesUpload(content, { length })))).toMatchObject({
        reason: 'origin-truncated',
      });
      expect(ranges(server)).toHaveLength(2);
    }
  });

  it('stops at the first chunk where the copy is there already', async () => {
    const server = await startScriptedServer([result({ existing: true })]);
    await expect(driverFor(server, fast).upload(bytesUpload(content, {}))).resolves.toMatchObject({ existing: true });
    expect(server.requests).toHaveLength(1);
  });

  it('removes what a server stored that took the first chunk for the whole file', async () => {
    const server = await startScriptedServer([result(), { body: { result: 'ok' } }]);
    expect(await rejection(driverFor(server, fast).upload(bytesUpload(content, {})))).toMatchObject({
      reason: 'store-rejected',
    });
    expect(server.requests.map(({ url }) => url)).toEqual(['/v1_1/demo/image/upload', '/v1_1/demo/image/destroy']);
    expect((await server.requests[1]?.form())?.get('public_id')).toBe('site/a');
  });

  it('ends at once when the caller aborts while the origin is silent', async () => {
    const abort = new AbortController();
    const server = await startScriptedServer([part]);
    const silent = new Readable({
      read() {
        abort.abort(new Error('enough'));
      },
    });
    const upload = driverFor(server, fast).upload({
      ...urlUpload({ source: { kind: 'bytes', filename: 'a', open: () => silent } }),
      signal: abort.signal,
    });
    expect(await rejection(upload)).toMatchObject({ message: 'enough' });
    expect(silent.destroyed).toBe(true);
  });
});
