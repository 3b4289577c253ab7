import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AssetFailure } from '../../src/asset/failure.ts';
import type { DeliveryType } from '../../src/asset/record.ts';
import type { AssetStore, UploadOptions, UploadRequest, UploadSource } from '../../src/store/asset-store.ts';

/** What a driver's test gives the suite. */
export interface AssetStoreBench {
  readonly store: AssetStore;
  /** Serves `content` at a URL that the store can load. */
  serve(name: string, content: Buffer): string;
  /** A URL that the store can reach and that answers 404. */
  readonly missingUrl: string;
  /** Larger files go in more than one request. */
  readonly chunkBytes: number;
  close(): Promise<void>;
}

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

function md5(content: Buffer): string {
  return createHash('md5').update(content).digest('hex');
}

export function describeAssetStore(name: string, open: () => Promise<AssetStoreBench>): void {
  describe(`asset store: ${name}`, () => {
    let bench: AssetStoreBench;
    beforeAll(async () => {
      bench = await open();
    });
    afterAll(() => bench.close());

    let count = 0;
    function freshId(): string {
      count += 1;
      return `contract/asset ${count} ü`;
    }

    function bytesOf(content: Buffer, { stated = true } = {}): UploadSource {
      return {
        kind: 'bytes',
        filename: 'picture.png',
        ...(stated && { length: content.length }),
        open: (start) => Readable.from([content.subarray(start)], { objectMode: false }),
      };
    }

    interface Given {
      readonly publicId?: string;
      readonly source?: UploadSource;
      readonly resourceType?: 'image' | 'raw' | 'auto';
      readonly deliveryType?: DeliveryType;
      readonly options?: Partial<UploadOptions>;
      readonly signal?: AbortSignal;
    }

    function request(given: Given = {}): UploadRequest {
      const { publicId = freshId(), source = bytesOf(png), resourceType = 'image', deliveryType = 'upload' } = given;
      return {
        source,
        target: { publicId, resourceType, deliveryType },
        options: { overwrite: false, ...given.options },
        ...(given.signal !== undefined && { signal: given.signal }),
      };
    }

    it('stores what it loads from a URL, and says how many bytes of which digest', async () => {
      const publicId = freshId();
      const url = bench.serve('remote.png', png);
      expect(await bench.store.upload(request({ publicId, source: { kind: 'remote-url', url } }))).toEqual({
        publicId,
        resourceType: 'image',
        deliveryType: 'upload',
        version: expect.any(Number),
        format: 'png',
        bytes: png.length,
        md5: md5(png),
        existing: false,
      });
    });

    it('stores the bytes it is sent, of stated and of unknown length', async () => {
      for (const stated of [true, false]) {
        const stored = await bench.store.upload(request({ source: bytesOf(png, { stated }) }));
        expect(stored).toMatchObject({ bytes: png.length, md5: md5(png), existing: false });
      }
    });

    it('stores files larger than one request, of stated and of unknown length', async () => {
      const content = randomBytes(2 * bench.chunkBytes + 1234);
      for (const stated of [true, false]) {
        const publicId = `${freshId()}.bin`;
        const stored = await bench.store.upload(
          request({ publicId, source: bytesOf(content, { stated }), resourceType: 'raw' }),
        );
        expect(stored).toMatchObject({ publicId, bytes: content.length, md5: md5(content), format: '' });
        const { body } = await bench.store.open(stored, {});
        expect((await buffer(body)).equals(content)).toBe(true);
      }
    });

    it('keeps what is there and describes it, where it is told not to overwrite', async () => {
      const publicId = freshId();
      const first = await bench.store.upload(request({ publicId }));
      const other = await bench.store.upload(
        request({ publicId, source: { kind: 'remote-url', url: bench.serve('other.png', Buffer.concat([png, png])) } }),
      );
      expect(other).toEqual({ ...first, existing: true });
    });

    it('replaces what is there, where it is told to, under a new version', async () => {
      const publicId = freshId();
      const first = await bench.store.upload(request({ publicId }));
      const content = Buffer.concat([png, Buffer.alloc(10)]);
      const second = await bench.store.upload(
        request({ publicId, source: bytesOf(content), options: { overwrite: true } }),
      );
      expect(second).toMatchObject({ publicId, md5: md5(content), existing: false });
      expect(second.version).toBeGreaterThan(first.version);
      expect(await bench.store.describe(second)).toMatchObject({ md5: md5(content), version: second.version });
    });

    it('decides the type by the content, where that is left to it', async () => {
      expect(await bench.store.upload(request({ resourceType: 'auto' }))).toMatchObject({ resourceType: 'image' });
      const text = Buffer.from('just text');
      const stored = await bench.store.upload(
        request({ publicId: `${freshId()}.txt`, source: bytesOf(text), resourceType: 'auto' }),
      );
      expect(stored).toMatchObject({ resourceType: 'raw', md5: md5(text) });
    });

    it('takes the options of a mapping', async () => {
      const options = {
        tags: ['a', 'b'],
        context: { alt: 'x=1|y & z' },
        assetFolder: 'Site',
        displayName: 'A picture',
      };
      await expect(bench.store.upload(request({ options }))).resolves.toMatchObject({ existing: false });
    });

    it('describes what is stored, by its identity alone', async () => {
      const { existing: _, ...stored } = await bench.store.upload(request());
      expect(await bench.store.describe(stored)).toEqual(stored);
      expect(await bench.store.describe({ ...stored, publicId: freshId() })).toBeUndefined();
      expect(await bench.store.describe({ ...stored, resourceType: 'raw' })).toBeUndefined();
      expect(await bench.store.describe({ ...stored, deliveryType: 'private' })).toBeUndefined();
    });

    it.each(['upload', 'private', 'authenticated'] as const)(
      'gives the bytes of a copy of type %s back',
      async (deliveryType) => {
        const stored = await bench.store.upload(request({ deliveryType }));
        const { status, body } = await bench.store.open(stored, {});
        expect(status).toBe(200);
        expect((await buffer(body)).equals(png)).toBe(true);
      },
    );

    it('gives parts of the bytes back, and none where the reader has them', async () => {
      const stored = await bench.store.upload(request());
      const part = await bench.store.open(stored, { range: 'bytes=1-3' });
      expect(part.status).toBe(206);
      expect((await buffer(part.body)).toString()).toBe('PNG');
      expect(part.headers['content-range']).toBe(`bytes 1-3/${png.length}`);

      const beyond = await bench.store.open(stored, { range: `bytes=${png.length}-` });
      expect(beyond.status).toBe(416);
      beyond.body.resume();

      const etag = part.headers.etag ?? '';
      const unchanged = await bench.store.open(stored, { conditions: { 'if-none-match': etag } });
      expect(unchanged.status).toBe(304);
      unchanged.body.resume();
    });

    it('says where clients find a copy: absolute, with the version, with a transformation and a format', async () => {
      const stored = await bench.store.upload(request());
      const plain = bench.store.deliveryUrl(stored);
      expect(URL.canParse(plain)).toBe(true);
      expect(plain).toContain(String(stored.version));
      const answer = await fetch(plain);
      expect(Buffer.from(await answer.arrayBuffer()).equals(png)).toBe(true);

      const small = bench.store.deliveryUrl(stored, { transformation: 'c_fill,w_10/f_auto', format: 'webp' });
      expect(small).toContain('c_fill,w_10/f_auto');
      expect(small).toMatch(/\.webp$/);
    });

    it.each(['upload', 'private'] as const)('says whether it delivers a copy of type %s', async (deliveryType) => {
      const stored = await bench.store.upload(request({ deliveryType }));
      expect(await bench.store.isDelivered(stored)).toBe(true);
      await bench.store.remove(stored);
      expect(await bench.store.isDelivered(stored)).toBe(false);
    });

    it('removes a copy, and says when there was none', async () => {
      const stored = await bench.store.upload(request());
      expect(await bench.store.remove(stored)).toBe(true);
      expect(await bench.store.describe(stored)).toBeUndefined();
      expect(await bench.store.remove(stored)).toBe(false);
    });

    it('blames the origin for a URL that cannot be loaded', async () => {
      const source = { kind: 'remote-url', url: bench.missingUrl } as const;
      const failure = bench.store.upload(request({ source }));
      await expect(failure).rejects.toBeInstanceOf(AssetFailure);
      await expect(failure).rejects.toMatchObject({ reason: 'origin-not-found' });
    });

    it('refuses what is not what it was said to be', async () => {
      const source = bytesOf(Buffer.from('<html>no picture</html>'));
      await expect(bench.store.upload(request({ source }))).rejects.toMatchObject({ reason: 'wrong-type' });
    });

    it('stores nothing when the bytes break off, whole requests and chunks alike', async () => {
      const failure = new AssetFailure('origin-denied', { detail: 'broke off' });
      for (const length of [100_000, 2 * bench.chunkBytes]) {
        const publicId = `${freshId()}.bin`;
        const source: UploadSource = {
          kind: 'bytes',
          filename: 'a.bin',
          length,
          open: () =>
            Readable.from(
              (async function* () {
                yield randomBytes(length - 1);
                throw failure;
              })(),
              { objectMode: false },
            ),
        };
        await expect(bench.store.upload(request({ publicId, source, resourceType: 'raw' }))).rejects.toBe(failure);
        expect(await bench.store.describe({ publicId, resourceType: 'raw', deliveryType: 'upload' })).toBeUndefined();
      }
    });

    it('stores nothing when the caller aborts, and rejects with the caller’s reason', async () => {
      const publicId = `${freshId()}.bin`;
      const abort = new AbortController();
      const source: UploadSource = {
        kind: 'bytes',
        filename: 'a.bin',
        length: 100_000,
        open: () =>
          Readable.from(
            (async function* () {
              yield randomBytes(50_000);
              abort.abort(new Error('enough'));
              yield randomBytes(50_000);
            })(),
            { objectMode: false },
          ),
      };
      const upload = bench.store.upload(request({ publicId, source, resourceType: 'raw', signal: abort.signal }));
      await expect(upload).rejects.toThrow('enough');
      expect(await bench.store.describe({ publicId, resourceType: 'raw', deliveryType: 'upload' })).toBeUndefined();
    });

    it('makes one asset of many uploads of the same public ID at a time', async () => {
      const publicId = freshId();
      const results = await Promise.all(Array.from({ length: 8 }, () => bench.store.upload(request({ publicId }))));
      expect(new Set(results.map(({ version }) => version)).size).toBe(1);
      expect(results.filter(({ existing }) => !existing)).toHaveLength(1);
    });

    it('answers a ping', async () => {
      await expect(bench.store.ping()).resolves.toBeUndefined();
    });
  });
}
