// The official SDK as an outside client. It picks http or https, and reads CLOUDINARY_URL, when it is first loaded:
// so the store starts first and the SDK is imported after it.
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { v2 as Cloudinary } from 'cloudinary';
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
