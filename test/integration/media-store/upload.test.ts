import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verifyResponse } from '../../../src/cloudinary/signature.ts';
import { apiSecret, post, signed, startOrigin, startStore, upload } from './harness.ts';

const media = join(import.meta.dirname, '../../../sample/media');
const lake = await readFile(join(media, 'photos/lake.jpg'));
const png = await readFile(join(media, 'twins/a.png'));

async function bytesAt(url: string): Promise<Buffer> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

test('bytes sent as multipart are delivered again byte by byte, under a versioned URL', async () => {
  const store = await startStore();
  const { status, body } = await upload(store, { file: new File([lake], 'my lake.jpg'), public_id: 'site/lake' });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    public_id: 'site/lake',
    resource_type: 'image',
    type: 'upload',
    format: 'jpg',
    bytes: lake.length,
    etag: createHash('md5').update(lake).digest('hex'),
    original_filename: 'my lake',
    placeholder: false,
    secure_url: `${store.url}/demo/image/upload/v${body.version}/site/lake.jpg`,
  });
  expect(body.width).toBeGreaterThan(0);
  expect(body.version).toBeTypeOf('number');
  expect(verifyResponse(body.public_id, body.version, body.signature, apiSecret)).toBe(true);
  expect((await bytesAt(body.url)).equals(lake)).toBe(true);
});

test('a remote URL is fetched by the store', async () => {
  const origin = await startOrigin((_request, response) => response.end(lake));
  const store = await startStore();
  const { status, body } = await upload(store, { file: `${origin.url}/a%20b.jpg`, public_id: 'remote' });
  expect(status).toBe(200);
  expect(body).toMatchObject({ bytes: lake.length, original_filename: 'a b' });
  expect((await bytesAt(body.url)).equals(lake)).toBe(true);
});

test('a data URI is stored, base64 and percent-encoded', async () => {
  const store = await startStore();
  const picture = await upload(store, { file: `data:image/png;base64,${png.toString('base64')}` });
  expect(picture.body).toMatchObject({ format: 'png', bytes: png.length });
  const drawing = await upload(store, {
    file: `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"/>')}`,
  });
  expect(drawing.body).toMatchObject({ format: 'svg', width: 4, height: 3 });
});

test('of a PDF no number of pages is made up, and a backup may be asked for', async () => {
  const store = await startStore();
  const guide = await readFile(join(media, 'documents/guide.pdf'));
  const { status, body } = await upload(store, { file: new File([guide], 'guide.pdf'), backup: '1' });
  expect(status).toBe(200);
  expect(body).toMatchObject({ resource_type: 'image', format: 'pdf', bytes: guide.length });
  expect(body).not.toHaveProperty('pages');
});

test('urlencoded and JSON requests upload as multipart ones do', async () => {
  const store = await startStore();
  const form = signed({ file: `data:image/png;base64,${png.toString('base64')}`, public_id: 'a' }) as Record<
    string,
    string
  >;
  const url = `${store.url}/v1_1/demo/image/upload`;
  const urlencoded = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  expect(await urlencoded.json()).toMatchObject({ public_id: 'a', bytes: png.length });
  const json = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(form),
  });
  expect(await json.json()).toMatchObject({ public_id: 'a', overwritten: true });
});

test('with overwrite=false the second upload is told what is there, and no remote file is fetched', async () => {
  const origin = await startOrigin((_request, response) => response.end(lake));
  const store = await startStore();
  const first = await upload(store, { file: `${origin.url}/a.jpg`, public_id: 'a', overwrite: '0' });
  expect(first.body.existing).toBeUndefined();
  const second = await upload(store, { file: `${origin.url}/b.jpg`, public_id: 'a', overwrite: '0' });
  expect(second.body).toMatchObject({ existing: true, version: first.body.version, etag: first.body.etag });
  expect(origin.requests).toEqual(['GET /a.jpg']);
});

test('of many uploads of one public ID with overwrite=false exactly one stores', async () => {
  const store = await startStore();
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      upload(store, { file: new File([lake, String(n)], 'a.jpg'), public_id: 'a', overwrite: 'false' }, '/auto/upload'),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200));
  expect(answers.filter(({ body }) => body.existing !== true)).toHaveLength(1);
  expect(new Set(answers.map(({ body }) => body.etag)).size).toBe(1);
});

test('an upload that replaces another says so, has a greater version and leaves no old bytes behind', async () => {
  const store = await startStore();
  const first = await upload(store, { file: new File([lake], 'a.jpg'), public_id: 'a' });
  const second = await upload(store, { file: new File([png], 'a.png'), public_id: 'a' });
  expect(second.body).toMatchObject({ overwritten: true, asset_id: first.body.asset_id, format: 'png' });
  expect(second.body.version).toBeGreaterThan(first.body.version);
  expect((await bytesAt(second.body.url)).equals(png)).toBe(true);
  const files = (await readdir(join(store.dir, 'blobs'), { recursive: true })).filter((name) =>
    /[0-9a-f]{64}$/.test(name),
  );
  expect(files).toHaveLength(1);
});

test('the same bytes under two public IDs are one file on disk, and stay while one of them is left', async () => {
  const store = await startStore();
  const one = await upload(store, { file: new File([png], 'a.png'), public_id: 'one' });
  await upload(store, { file: new File([png], 'a.png'), public_id: 'two' });
  const files = (await readdir(join(store.dir, 'blobs'), { recursive: true })).filter((name) =>
    /[0-9a-f]{64}$/.test(name),
  );
  expect(files).toHaveLength(1);
  await upload(store, { file: new File([lake], 'a.jpg'), public_id: 'two' });
  expect((await bytesAt(one.body.url)).equals(png)).toBe(true);
});

test('auto tells images, videos and raw files by their content', async () => {
  const store = await startStore();
  const video = await readFile(join(media, 'video/lake.mp4'));
  const mp4 = await upload(store, { file: new File([video], 'clip.bin'), public_id: 'clip' }, '/auto/upload');
  expect(mp4.body).toMatchObject({ resource_type: 'video', format: 'mp4', width: 640, duration: 4, is_audio: false });
  const text = await upload(store, { file: new File(['plain words'], 'notes.txt') }, '/upload');
  expect(text.body).toMatchObject({ resource_type: 'raw', bytes: 11 });
  expect(text.body.public_id).toMatch(/\.txt$/);
  expect(text.body.format).toBeUndefined();
  expect((await bytesAt(text.body.url)).toString()).toBe('plain words');
});

test('a request cut off in mid-file leaves nothing behind', async () => {
  const store = await startStore();
  const stopped = new AbortController();
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(
        new TextEncoder().encode('--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\nbytes'),
      );
      setImmediate(() => stopped.abort());
    },
  });
  const sent = fetch(`${store.url}/v1_1/demo/image/upload`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body,
    duplex: 'half',
    signal: stopped.signal,
  } as RequestInit);
  await expect(sent).rejects.toThrow();
  await expect.poll(() => readdir(join(store.dir, 'staging'))).toEqual([]);
});

test('a restart remembers every asset', async () => {
  const store = await startStore();
  const { body } = await upload(store, { file: new File([lake], 'a.jpg'), public_id: 'a' });
  await store.close();
  const again = await startStore({ dir: store.dir });
  expect((await bytesAt(`${again.url}/demo/image/upload/v${body.version}/a.jpg`)).equals(lake)).toBe(true);
});

test('a second store on the same directory is refused with a message that says so', async () => {
  const store = await startStore();
  await expect(startStore({ dir: store.dir })).rejects.toThrow(/in use by another process/);
});

test('the delivery type may stand in the path or in the form', async () => {
  const store = await startStore();
  const path = await upload(store, { file: new File([png], 'a.png'), public_id: 'p' }, '/image/private');
  expect(path.body.type).toBe('private');
  const field = await post(store, '/image/upload', signed({ file: new File([png], 'a.png'), type: 'authenticated' }));
  expect(field.body.type).toBe('authenticated');
  expect((await bytesAt(field.body.url)).equals(png)).toBe(true);
  expect((await fetch(field.body.url.replace(/s--[^/]+\//, ''))).status).toBe(401);
});
