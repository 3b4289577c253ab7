import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from 'undici';
import { expect, test } from 'vitest';
import { startStore, upload } from './harness.ts';

const media = join(import.meta.dirname, '../../../sample/media');
const lake = await readFile(join(media, 'photos/lake.jpg'));
const video = await readFile(join(media, 'video/lake.mp4'));

/** Reads the body too: an open one would hold the store's close. */
async function get(url: string, init?: RequestInit): Promise<Response & { readonly bytes: Buffer }> {
  const response = await fetch(url, init);
  return Object.assign(response, { bytes: Buffer.from(await response.arrayBuffer()) });
}

async function stored(form: Record<string, string | Blob>, path?: string) {
  const store = await startStore();
  const { body } = await upload(store, form, path);
  return { store, body, url: body.url as string };
}

test('an original comes with type, length, validators, a long lifetime and CORS', async () => {
  const { url, body } = await stored({ file: new File([lake], 'a.jpg'), public_id: 'a' });
  const { headers } = await get(url);
  expect(headers.get('content-type')).toBe('image/jpeg');
  expect(headers.get('content-length')).toBe(String(lake.length));
  expect(headers.get('etag')).toBe(`"${body.etag}"`);
  expect(headers.get('last-modified')).not.toBeNull();
  expect(headers.get('cache-control')).toContain('max-age=2592000');
  expect(headers.get('access-control-allow-origin')).toBe('*');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
});

test('HEAD answers as GET would, without the body', async () => {
  const { url } = await stored({ file: new File([lake], 'a.jpg'), public_id: 'a' });
  const head = await get(url, { method: 'HEAD' });
  const whole = await get(url);
  expect(head.headers.get('content-length')).toBe(whole.headers.get('content-length'));
  expect(head.headers.get('etag')).toBe(whole.headers.get('etag'));
  expect(head.bytes).toHaveLength(0);
});

test.each([
  ['bytes=0-9', 206, 0, 10],
  ['bytes=100-', 206, 100, undefined],
  ['bytes=-7', 206, -7, undefined],
])('the range %s of a video is exactly those bytes', async (range, status, from, to) => {
  const { url } = await stored({ file: new File([video], 'a.mp4') }, '/video/upload');
  const response = await get(url, { headers: { range } });
  expect(response.status).toBe(status);
  expect(response.bytes.equals(video.subarray(from, to))).toBe(true);
  expect(response.headers.get('content-range')).toMatch(new RegExp(`^bytes \\d+-\\d+/${video.length}$`));
});

test('a range that cannot be satisfied is answered 416 with the length', async () => {
  const { url } = await stored({ file: new File([lake], 'a.jpg') });
  const response = await get(url, { headers: { range: `bytes=${lake.length}-` } });
  expect([response.status, response.headers.get('content-range')]).toEqual([416, `bytes */${lake.length}`]);
});

test('conditions are honoured: 304, If-Range with another version gets the whole', async () => {
  const { url, body } = await stored({ file: new File([lake], 'a.jpg') });
  // Not `fetch`: it adds `Cache-Control: no-cache` to conditional requests.
  const ask = async (headers: Record<string, string>) => {
    const answer = await request(url, { headers });
    return { status: answer.statusCode, bytes: (await answer.body.arrayBuffer()).byteLength, headers: answer.headers };
  };
  expect(await ask({ 'if-none-match': `"${body.etag}"` })).toMatchObject({ status: 304, bytes: 0 });
  const { headers } = await ask({});
  expect(await ask({ 'if-modified-since': String(headers['last-modified']) })).toMatchObject({ status: 304 });
  expect(await ask({ 'if-none-match': '"another"' })).toMatchObject({ status: 200, bytes: lake.length });
  expect(await ask({ range: 'bytes=0-1', 'if-range': '"another"' })).toMatchObject({ status: 200, bytes: lake.length });
  expect(await ask({ range: 'bytes=0-1', 'if-range': `"${body.etag}"` })).toMatchObject({ status: 206, bytes: 2 });
});

test('every way to write the URL of an image leads to it', async () => {
  const { store, body } = await stored({ file: new File([lake], 'a.jpg'), public_id: 'site/two words ü' });
  const id = 'site/two%20words%20%C3%BC';
  for (const path of [
    `/demo/image/upload/v${body.version}/${id}.jpg`,
    `/demo/image/upload/v1/${id}`,
    `/demo/image/upload/${id}.jpg`,
    `/demo/image/upload/${id}.jpeg`,
    `/demo/iu/${id}.jpg`,
    `/demo/images/${id}/a-nice-name.jpg`,
    `/demo/image/upload/${id}.jpg?_a=analytics`,
  ]) {
    const response = await get(`${store.url}${path}`);
    expect([path, response.status, response.headers.get('content-type')]).toEqual([path, 200, 'image/jpeg']);
  }
});

test.each([
  ['/demo/image/upload/v1/nothing.jpg', 404, 'Resource not found - nothing'],
  ['/demo/image/upload/', 404, 'Resource not found - there is no public ID'],
  ['/other/image/upload/a.jpg', 401, 'Invalid cloud_name other'],
  ['/demo/image/fetch/https://www.example.com/a.jpg', 401, 'Images of type fetch are restricted in this account'],
  ['/100%.jpg', 404, 'Resource not found - the path does not begin with a cloud name'],
  ['/', 404, 'Resource not found - the path does not begin with a cloud name'],
])('%s is answered %i with the reason in X-Cld-Error and a picture for a body', async (path, status, reason) => {
  const store = await startStore();
  const response = await get(`${store.url}${path}`);
  expect([response.status, response.headers.get('x-cld-error')]).toEqual([status, reason]);
  expect(response.headers.get('content-type')).toBe('image/gif');
  expect(response.headers.get('cache-control')).toContain('no-store');
});

test('a text that cannot stand in a header does not break the answer', async () => {
  const store = await startStore();
  const response = await get(`${store.url}/demo/image/upload/v1/%0d%0aX-Injected:%20yes/日本語.jpg`);
  expect(response.status).toBe(404);
  expect(response.headers.get('x-injected')).toBeNull();
  expect(response.headers.get('x-cld-error')).toContain('%E6%97%A5');
});

test.each([
  ['svg', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', '/image/upload', 'image/svg+xml'],
  ['html', '<script>alert(1)</script>', '/raw/upload', 'text/html'],
  ['pdf', '%PDF-1.4\n%%EOF', '/image/upload', 'application/pdf'],
])('an %s is delivered in a sandbox', async (extension, content, path, type) => {
  const publicId = extension === 'html' ? 'page.html' : 'page';
  const { url } = await stored({ file: new File([content], `page.${extension}`), public_id: publicId }, path);
  const { headers } = await get(url);
  expect(headers.get('content-type')).toContain(type);
  expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*sandbox/);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
});

test('POST to a delivery URL is not allowed', async () => {
  const { url } = await stored({ file: new File([lake], 'a.jpg') });
  const response = await get(url, { method: 'POST' });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});
