// The official SDK as an outside client. It picks http or https, and reads CLOUDINARY_URL, when it is first loaded:
// so the store starts first and the SDK is imported after it.
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { v2 as Cloudinary, UploadApiResponse } from 'cloudinary';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMediaStore, type MediaStore } from '../../../src/media-store/media-store.ts';
import { apiKey, apiSecret, cloudName } from './harness.ts';

const media = join(import.meta.dirname, '../../../sample/media');
const lake = join(media, 'photos/lake.jpg');

let cloudinary: typeof Cloudinary;
let store: MediaStore;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lazyferry-store-'));
  store = await createMediaStore({ dir, cloudName, apiKey, apiSecret, allowPrivateOrigins: true });
  await store.listen({ host: '127.0.0.1', port: 0 });
  process.env.CLOUDINARY_URL = `cloudinary://${apiKey}:${apiSecret}@${cloudName}?upload_prefix=${store.url}`;
  cloudinary = (await import('cloudinary')).v2;
});

afterAll(async () => {
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

async function bytesAt(url: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(url)).arrayBuffer());
}

test('upload of a local file: the response’s signature is right and the bytes come back', async () => {
  const result = await cloudinary.uploader.upload(lake, { public_id: 'sdk/lake', tags: ['a', 'b & c'] });
  // The type definitions leave this function out.
  const { verify_api_response_signature: verify } = cloudinary.utils as unknown as {
    verify_api_response_signature(publicId: string, version: string, signature: string): boolean;
  };
  expect(verify(result.public_id, String(result.version), result.signature)).toBe(true);
  expect(result.tags).toEqual(['a', 'b & c']);
  expect((await bytesAt(result.secure_url)).equals(await readFile(lake))).toBe(true);
});

test('upload of a remote URL and of a data URI', async () => {
  const remote = await cloudinary.uploader.upload(`${store.url}/${cloudName}/image/upload/sdk/lake.jpg`, {
    overwrite: false,
  });
  expect(remote.format).toBe('jpg');
  const data = await cloudinary.uploader.upload('data:text/plain;base64,aGVsbG8=', { resource_type: 'raw' });
  expect(data.bytes).toBe(5);
});

test('upload_stream', async () => {
  const result = await new Promise<{ bytes: number }>((resolve, reject) => {
    const stream = cloudinary.uploader.upload_stream({ resource_type: 'auto' }, (error, answer) =>
      answer === undefined ? reject(error) : resolve(answer),
    );
    createReadStream(lake).pipe(stream);
  });
  expect(result.bytes).toBe((await readFile(lake)).length);
});

test('signature versions 1 and 2 and SHA-256', async () => {
  for (const options of [{ signature_version: 1 }, { signature_algorithm: 'sha256' }]) {
    const result = await cloudinary.uploader.upload(lake, { context: 'a=b & c', ...options } as object);
    expect(result.context).toEqual({ custom: { a: 'b & c' } });
  }
});

test('an error reaches the SDK’s caller with status and text', async () => {
  const failure = cloudinary.uploader.upload(lake, { resource_type: 'video' });
  await expect(failure).rejects.toMatchObject({ http_code: 400, message: 'Unsupported video format or file' });
});

test('url() leads to the stored bytes', async () => {
  const { public_id, version } = await cloudinary.uploader.upload(lake, { public_id: 'sdk/a b ü' });
  const url = cloudinary.url(public_id, { version, format: 'jpg', secure: false, cname: new URL(store.url).host });
  expect((await bytesAt(url)).equals(await readFile(lake))).toBe(true);
});

test('api.resource and api.resources find what was uploaded, api.ping and api.usage answer', async () => {
  await cloudinary.uploader.upload(lake, { public_id: 'listed/one', tags: 'red' });
  await cloudinary.uploader.upload(lake, { public_id: 'listed/two' });
  const one = await cloudinary.api.resource('listed/one');
  expect(one).toMatchObject({ public_id: 'listed/one', format: 'jpg', rate_limit_allowed: 1_000_000 });
  const first = await cloudinary.api.resources({ type: 'upload', prefix: 'listed/', max_results: 1 });
  expect(first.resources.map(({ public_id }: { public_id: string }) => public_id)).toEqual(['listed/one']);
  const second = await cloudinary.api.resources({ type: 'upload', prefix: 'listed/', next_cursor: first.next_cursor });
  expect(second.resources.map(({ public_id }: { public_id: string }) => public_id)).toEqual(['listed/two']);
  expect(second.next_cursor).toBeUndefined();
  const tagged = await cloudinary.api.resources_by_tag('red');
  expect(tagged.resources).toHaveLength(1);
  expect(await cloudinary.api.ping()).toMatchObject({ status: 'ok' });
  expect((await cloudinary.api.usage()).media_limits.image_max_size_bytes).toBeGreaterThan(0);
});

test('api.resource of nothing rejects with 404', async () => {
  await expect(cloudinary.api.resource('nothing')).rejects.toMatchObject({
    error: { http_code: 404, message: 'Resource not found - nothing' },
  });
});

test('destroy and api.delete_resources', async () => {
  const { url } = await cloudinary.uploader.upload(lake, { public_id: 'gone' });
  expect(await cloudinary.uploader.destroy('gone')).toEqual({ result: 'ok' });
  expect((await fetch(url)).status).toBe(404);
  expect(await cloudinary.uploader.destroy('gone')).toEqual({ result: 'not found' });
  await cloudinary.uploader.upload(lake, { public_id: 'x,y' });
  const { deleted } = await cloudinary.api.delete_resources(['x,y', 'never']);
  expect(deleted).toEqual({ 'x,y': 'deleted', never: 'not_found' });
});

test('upload_large sends chunks of 6 MB and gets the whole answer', async () => {
  const file = join(dir, 'large.bin');
  const bytes = randomBytes(14_000_000);
  await writeFile(file, bytes);
  const result = await new Promise<UploadApiResponse>((resolve, reject) => {
    cloudinary.uploader.upload_large(
      file,
      { resource_type: 'raw', public_id: 'large.bin', chunk_size: 6_000_000 },
      (error, answer) => (answer === undefined ? reject(error) : resolve(answer as UploadApiResponse)),
    );
  });
  expect(result).toMatchObject({ done: true, bytes: bytes.length, public_id: 'large.bin' });
  expect((await bytesAt(result.secure_url)).equals(bytes)).toBe(true);
});

test('upload_chunked_stream sends chunks of unknown total', async () => {
  const bytes = randomBytes(13_000_000);
  const result = await new Promise<UploadApiResponse>((resolve, reject) => {
    const stream = cloudinary.uploader.upload_chunked_stream(
      { resource_type: 'raw', public_id: 'stream.bin', chunk_size: 6_000_000 },
      (error, answer) => (answer === undefined ? reject(error) : resolve(answer)),
    );
    Readable.from([bytes]).pipe(stream);
  });
  expect((await bytesAt(result.secure_url)).equals(bytes)).toBe(true);
});

test('upload_presets and unsigned_upload', async () => {
  await cloudinary.api.create_upload_preset({ name: 'sdk', unsigned: true, tags: 'by-preset', folder: 'in' });
  const result = await cloudinary.uploader.unsigned_upload(lake, 'sdk', { public_id: 'free' });
  expect(result).toMatchObject({ public_id: 'in/free', tags: ['by-preset'] });
  expect((await cloudinary.api.upload_presets()).presets).toHaveLength(1);
  await cloudinary.api.update_upload_preset('sdk', { tags: 'changed' });
  expect(await cloudinary.api.upload_preset('sdk')).toMatchObject({ name: 'sdk', settings: { tags: 'changed' } });
  expect(await cloudinary.api.delete_upload_preset('sdk')).toMatchObject({ message: 'deleted' });
});

test('upload_mappings', async () => {
  await cloudinary.api.create_upload_mapping('auto', { template: `${store.url}/${cloudName}/image/upload/sdk/` });
  const url = cloudinary.url('auto/lake.jpg', { secure: false, cname: new URL(store.url).host });
  expect((await bytesAt(url)).equals(await readFile(lake))).toBe(true);
  expect(await cloudinary.api.upload_mapping('auto')).toMatchObject({ folder: 'auto' });
  expect((await cloudinary.api.upload_mappings()).mappings).toHaveLength(1);
  expect(await cloudinary.api.update_upload_mapping('auto', { template: 'https://x.example/' })).toMatchObject({
    message: 'updated',
  });
  expect(await cloudinary.api.delete_upload_mapping('auto')).toMatchObject({ message: 'deleted' });
});

test('explicit, rename, add_tag, replace_tag, remove_all_tags and add_context', async () => {
  await cloudinary.uploader.upload(lake, { public_id: 'm/a' });
  const explained = await cloudinary.uploader.explicit('m/a', {
    type: 'upload',
    eager: [{ width: 20, crop: 'scale' }],
  });
  expect(explained.eager).toMatchObject([{ transformation: 'c_scale,w_20', width: 20 }]);
  expect(await cloudinary.uploader.rename('m/a', 'm/b')).toMatchObject({ public_id: 'm/b' });
  expect(await cloudinary.uploader.add_tag('new', ['m/b'])).toEqual({ public_ids: ['m/b'] });
  await cloudinary.uploader.add_context('alt=picture', ['m/b']);
  expect(await cloudinary.api.resource('m/b')).toMatchObject({
    tags: ['new'],
    context: { custom: { alt: 'picture' } },
  });
  await cloudinary.uploader.replace_tag('other', ['m/b']);
  expect((await cloudinary.api.resource('m/b')).tags).toEqual(['other']);
  await cloudinary.uploader.remove_all_tags(['m/b']);
  expect((await cloudinary.api.resource('m/b')).tags).toEqual([]);
});

test('named transformations are made by the Admin API and used in URLs', async () => {
  await cloudinary.uploader.upload(lake, { public_id: 'named' });
  await cloudinary.api.create_transformation('tiny', { width: 30, height: 20, crop: 'fill' });
  const url = cloudinary.url('named.png', { transformation: ['tiny'], secure: false, cname: new URL(store.url).host });
  expect(await sharp(await bytesAt(url)).metadata()).toMatchObject({ width: 30, height: 20, format: 'png' });
  expect((await cloudinary.api.transformations()).transformations).toMatchObject([{ name: 't_tiny', named: true }]);
  await cloudinary.api.delete_transformation('tiny');
  expect((await fetch(url)).status).toBe(400);
});

test('signed delivery URLs of private and authenticated assets, short and long', async () => {
  for (const type of ['private', 'authenticated'] as const) {
    const { public_id } = await cloudinary.uploader.upload(lake, { public_id: `secret/${type}`, type });
    const options = { type, format: 'jpg', secure: false, cname: new URL(store.url).host };
    for (const long_url_signature of [false, true]) {
      const url = cloudinary.url(public_id, { ...options, sign_url: true, long_url_signature });
      expect((await bytesAt(url)).equals(await readFile(lake))).toBe(true);
    }
    expect((await fetch(cloudinary.url(public_id, options))).status).toBe(401);
  }
});

test('the SDK verifies the store’s notifications', async () => {
  const received = await new Promise<{ body: string; timestamp: number; signature: string }>((resolve, reject) => {
    const server = createServer(async (request, response) => {
      const body = await text(request);
      response.end();
      server.close();
      resolve({
        body,
        timestamp: Number(request.headers['x-cld-timestamp']),
        signature: String(request.headers['x-cld-signature']),
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const notification_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      cloudinary.uploader.upload(lake, { notification_url }).catch(reject);
    });
  });
  const { verifyNotificationSignature: verify } = cloudinary.utils as unknown as {
    verifyNotificationSignature(body: string, timestamp: number, signature: string): boolean;
  };
  expect(verify(received.body, received.timestamp, received.signature)).toBe(true);
  expect(verify(`${received.body} `, received.timestamp, received.signature)).toBe(false);
});
