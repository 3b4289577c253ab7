import { Readable } from 'node:stream';
import { v2 as sdk } from 'cloudinary';
import { describe, expect, it } from 'vitest';
import { AssetFailure } from '../../../src/asset/failure.ts';
import { type ReceivedRequest, startScriptedServer } from '../../support/scripted-server.ts';
import {
  apiKey,
  apiSecret,
  bytesUpload,
  driverFor,
  md5,
  noLimits,
  rejection,
  result,
  stored,
  streamOf,
  urlUpload,
} from './harness.ts';

async function fields(request: ReceivedRequest | undefined): Promise<Record<string, string>> {
  const form = (await request?.form()) ?? new FormData();
  return Object.fromEntries([...form].map(([name, value]) => [name, typeof value === 'string' ? value : value.name]));
}

describe('an upload by remote URL', () => {
  it.each([
    'https://origin.test/a b.jpg?x=1&y=ü',
    'http://origin.test/a.jpg',
    'ftp://user:pass@files.test/a.jpg',
    's3://bucket/a.jpg',
    'gs://bucket/a.jpg',
  ])('hands %s over as it is', async (url) => {
    const server = await startScriptedServer([result()]);
    expect(await driverFor(server).upload(urlUpload({ source: { kind: 'remote-url', url } }))).toEqual({
      ...stored,
      existing: false,
    });
    expect(server.requests[0]).toMatchObject({ method: 'POST', url: '/v1_1/demo/image/upload' });
    expect((await fields(server.requests[0])).file).toBe(url);
  });

  it.each([
    ['sha1', 1],
    ['sha1', 2],
    ['sha256', 1],
    ['sha256', 2],
  ] as const)('is signed as the official SDK signs it: %s, version %i', async (algorithm, version) => {
    const server = await startScriptedServer([result()]);
    const store = driverFor(server, {
      url: `cloudinary://${apiKey}:${apiSecret}@demo?signature_algorithm=${algorithm}&signature_version=${version}`,
      now: () => 1_700_000_000_999,
    });
    await store.upload(urlUpload({ options: { overwrite: false, context: { alt: 'a & b' }, tags: ['x', 'y'] } }));
    const { signature, api_key, file: _, ...signed } = await fields(server.requests[0]);
    expect(api_key).toBe(apiKey);
    expect(signed).toEqual({
      public_id: 'site/a',
      type: 'upload',
      overwrite: '0',
      context: 'alt=a & b',
      tags: 'x,y',
      timestamp: '1700000000',
    });
    const sign = sdk.utils.api_sign_request as (...args: unknown[]) => string;
    expect(signature).toBe(sign(signed, apiSecret, algorithm, version));
  });

  it('goes without a signature by HTTP Basic, by an OAuth token, or unsigned with a preset', async () => {
    const unsignedOptions = { overwrite: false, preset: 'site' };
    const cases = [
      ['basic', `cloudinary://${apiKey}:${apiSecret}@demo`, `Basic ${btoa(`${apiKey}:${apiSecret}`)}`],
      ['bearer', 'cloudinary://demo?oauth_token=to-ken', 'Bearer to-ken'],
      ['unsigned', 'cloudinary://demo', undefined],
    ] as const;
    for (const [authentication, url, header] of cases) {
      const server = await startScriptedServer([result()]);
      await driverFor(server, { url, authentication }).upload(urlUpload({ options: unsignedOptions }));
      expect(server.requests[0]?.headers.authorization).toBe(header);
      const sent = Object.keys(await fields(server.requests[0]));
      expect(sent).not.toContain('signature');
      expect(sent).not.toContain('api_key');
      expect(sent.includes('overwrite')).toBe(authentication !== 'unsigned');
    }
  });

  it('says that the copy was there before', async () => {
    const server = await startScriptedServer([result({ existing: true })]);
    expect(await driverFor(server).upload(urlUpload())).toEqual({ ...stored, existing: true });
  });

  it('records the public ID that the store returns, not the one that was asked for', async () => {
    const server = await startScriptedServer([result({ public_id: 'site/a_b' })]);
    const target = { publicId: 'site/a*b', resourceType: 'image', deliveryType: 'upload' } as const;
    expect(await driverFor(server).upload(urlUpload({ target }))).toMatchObject({ publicId: 'site/a_b' });
  });

  it('reads a raw result, which has no format, and digests in capitals', async () => {
    const server = await startScriptedServer([
      result({ resource_type: 'raw', format: undefined, etag: stored.md5.toUpperCase() }),
    ]);
    expect(await driverFor(server).upload(urlUpload())).toMatchObject({
      resourceType: 'raw',
      format: '',
      md5: stored.md5,
    });
  });

  it('accepts an answer only if it is signed with our secret', async () => {
    for (const signature of ['0'.repeat(40), undefined, 7]) {
      const server = await startScriptedServer([result({ signature })]);
      const error = await rejection(driverFor(server).upload(urlUpload()));
      expect(error).toMatchObject({ reason: 'store-auth' });
      expect(error).toBeInstanceOf(AssetFailure);
    }
  });

  it.each([
    ['public_id', ''],
    ['version', '1700000000'],
    ['bytes', -1],
    ['bytes', undefined],
    ['etag', 'W/"abc"'],
    ['etag', undefined],
    ['resource_type', 'auto'],
    ['type', 'fetch'],
  ])('refuses a result whose %s is %j: nothing would be proven by it', async (field, value) => {
    const server = await startScriptedServer([result({ [field]: value })]);
    const error = await rejection(driverFor(server).upload(urlUpload()));
    expect(error).toMatchObject({ reason: 'store-rejected', message: expect.stringContaining(field) });
  });
});

describe('an upload of bytes', () => {
  it('streams them in one request of stated length', async () => {
    const content = Buffer.alloc(300_000, 'lazyferry ');
    const server = await startScriptedServer([
      noLimits,
      (request) => result({ bytes: content.length, etag: md5(content), is: request.headers['content-length'] }),
    ]);
    expect(await driverFor(server).upload(bytesUpload(content))).toMatchObject({ bytes: 300_000, md5: md5(content) });
    const request = server.requests[1];
    expect(request?.headers['content-length']).toBe(String(request?.body.length));
    expect(request?.headers['transfer-encoding']).toBeUndefined();
    const file = (await request?.form())?.get('file');
    if (!(file instanceof File)) throw new Error('no file part');
    expect(file.name).toBe('a.jpg');
    expect(Buffer.from(await file.arrayBuffer()).equals(content)).toBe(true);
  });

  it('never holds the file: the origin is read only as fast as the store takes it', async () => {
    const size = 64 * 1024 * 1024;
    const piece = Buffer.alloc(65_536);
    let read = 0;
    let received = 0;
    let furthestAhead = 0;
    const server = await startScriptedServer([
      noLimits,
      {
        raw: (request, response) => {
          request.on('data', (data: Buffer) => {
            received += data.length;
          });
          request.on('end', () => response.end(JSON.stringify(result({ bytes: size }).body)));
        },
      },
    ]);
    const source = new Readable({
      read() {
        this.push(read < size ? piece : null);
        read += piece.length;
        furthestAhead = Math.max(furthestAhead, read - received);
      },
    });
    await driverFor(server, { chunkBytes: size }).upload(
      urlUpload({ source: { kind: 'bytes', filename: 'a', length: size, open: () => source } }),
    );
    expect(received).toBeGreaterThan(size);
    // What sockets and streams hold in between, on both sides.
    expect(furthestAhead).toBeLessThan(size / 4);
  });

  it('ends at once when the caller aborts, with the caller’s reason, and closes the source', async () => {
    const abort = new AbortController();
    const server = await startScriptedServer([
      noLimits,
      { raw: (request) => request.once('data', () => abort.abort(new Error('enough'))).on('error', () => {}) },
    ]);
    // Never ends and never gives a second piece.
    const source = new Readable({ read() {} });
    source.push('abc');
    const upload = driverFor(server).upload({
      ...urlUpload({ source: { kind: 'bytes', filename: 'a', length: 10, open: () => source } }),
      signal: abort.signal,
    });
    expect(await rejection(upload)).toMatchObject({ message: 'enough' });
    expect(source.destroyed).toBe(true);
  });

  it('fails as truncated when the origin sends fewer or more bytes than it said, and never completes the request', async () => {
    for (const length of [2, 4]) {
      let whole = false;
      const server = await startScriptedServer([
        noLimits,
        {
          raw: (request) => {
            request.on('end', () => {
              whole = true;
            });
            request.on('error', () => {});
            request.resume();
          },
        },
      ]);
      const error = await rejection(driverFor(server).upload(bytesUpload(Buffer.from('abc'), { length })));
      expect(error).toMatchObject({ reason: 'origin-truncated' });
      expect(whole).toBe(false);
    }
  });

  it('passes the origin’s own failure on', async () => {
    const failure = new AssetFailure('origin-timeout', { detail: 'silence' });
    const server = await startScriptedServer([noLimits, { raw: (request) => request.resume().on('error', () => {}) }]);
    const source = {
      kind: 'bytes',
      filename: 'a',
      length: 10,
      open: () =>
        Readable.from(
          (async function* () {
            yield Buffer.from('abc');
            throw failure;
          })(),
          { objectMode: false },
        ),
    } as const;
    expect(await rejection(driverFor(server).upload(urlUpload({ source })))).toBe(failure);
  });

  it('sends what has no stated length as one plain request where it fits into a chunk', async () => {
    const content = Buffer.from('abc');
    const server = await startScriptedServer([result()]);
    expect(await driverFor(server).upload(bytesUpload(content, {}))).toMatchObject({ bytes: 3 });
    expect(server.requests[0]?.headers['content-range']).toBeUndefined();
    expect(server.requests[0]?.headers['content-length']).toBe(String(server.requests[0]?.body.length));
  });

  it('sends an empty file', async () => {
    const server = await startScriptedServer([result({ bytes: 0 })]);
    expect(await driverFor(server).upload(bytesUpload(Buffer.alloc(0), {}))).toMatchObject({ bytes: 0 });
    expect(server.requests).toHaveLength(1);
  });
});

describe('the limits of the plan', () => {
  const usage = {
    body: { media_limits: { image_max_size_bytes: 10, video_max_size_bytes: 100, raw_max_size_bytes: 20 } },
  };

  it('refuse a file before a byte of it moves, and are asked once', async () => {
    const server = await startScriptedServer([usage, result()]);
    const store = driverFor(server);
    for (const source of [
      { kind: 'bytes', filename: 'a.jpg', length: 11, open: () => streamOf(Buffer.alloc(11)) },
      { kind: 'remote-url', url: 'https://origin.test/a.jpg', length: 11 },
    ] as const) {
      expect(await rejection(store.upload(urlUpload({ source })))).toMatchObject({ reason: 'too-large' });
    }
    await store.upload(urlUpload({ source: { kind: 'remote-url', url: 'https://origin.test/a.jpg', length: 10 } }));
    expect(server.requests.map(({ url }) => url)).toEqual(['/v1_1/demo/usage', '/v1_1/demo/image/upload']);
    expect(await store.limits()).toEqual({ image: 10, video: 100, raw: 20 });
  });

  it('are told by the file name where the store decides the type, and by the most generous one else', async () => {
    const server = await startScriptedServer([usage, result()]);
    const store = driverFor(server);
    const upload = (url: string, length: number) =>
      store.upload(
        urlUpload({
          source: { kind: 'remote-url', url, length },
          target: { publicId: 'site/a', resourceType: 'auto', deliveryType: 'upload' },
        }),
      );
    expect(await rejection(upload('https://origin.test/a.jpg?x', 11))).toMatchObject({ reason: 'too-large' });
    expect(await rejection(upload('https://origin.test/a', 101))).toMatchObject({ reason: 'too-large' });
    await expect(upload('https://origin.test/a.mp4', 100)).resolves.toBeDefined();
    await expect(upload('https://origin.test/a', 100)).resolves.toBeDefined();
  });

  it('stop no upload when the account does not tell them', async () => {
    const server = await startScriptedServer([{ status: 420, body: { error: { message: 'x' } } }, result()]);
    const store = driverFor(server);
    await expect(store.upload(bytesUpload(Buffer.from('abc')))).resolves.toBeDefined();
    expect(await store.limits()).toEqual({});
  });
});
