import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileTypeFromBuffer } from 'file-type';
import sharp from 'sharp';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SampleOrigin, startSampleOrigin } from '../../../sample/origin.ts';

const media = join(import.meta.dirname, '../../../sample/media');
const files = (await readdir(media, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) => relative(media, join(entry.parentPath, entry.name)));

let origin: SampleOrigin;
beforeAll(async () => {
  origin = await startSampleOrigin({ host: '127.0.0.1', port: 0 });
});
afterAll(() => origin.close());

function urlOf(file: string): string {
  return origin.url + file.split('/').map(encodeURIComponent).join('/');
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('every sample file', () => {
  it.each(files)('%s arrives byte for byte under its own content type', async (file) => {
    const response = await fetch(urlOf(file));
    const body = new Uint8Array(await response.arrayBuffer());
    expect(response.status).toBe(200);
    expect(sha256(body)).toBe(sha256(await readFile(join(media, file))));
    const sniffed = await fileTypeFromBuffer(body);
    const expected = file.endsWith('.svg') ? 'image/svg+xml' : sniffed?.mime;
    expect(response.headers.get('content-type')).toBe(expected);
  });

  it('together they stay under 2 MB', async () => {
    const sizes = await Promise.all(files.map(async (file) => (await readFile(join(media, file))).length));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(2_000_000);
  });
});

describe('the files are what the README says', () => {
  it('the photograph carries EXIF with its licence', async () => {
    const { exif } = await sharp(join(media, 'photos/lake.jpg')).metadata();
    expect(exif?.toString('latin1')).toContain('CC0 1.0');
  });

  it('the badge has transparency and the spinner moves', async () => {
    expect((await sharp(join(media, 'graphics/badge.png')).stats()).isOpaque).toBe(false);
    expect((await sharp(join(media, 'graphics/spinner.gif'), { animated: true }).metadata()).pages).toBe(12);
  });

  it('the film has its index before its data, so that a player can start at once', async () => {
    const film = (await readFile(join(media, 'video/lake.mp4'))).toString('latin1');
    expect(film.indexOf('moov')).toBeGreaterThan(0);
    expect(film.indexOf('moov')).toBeLessThan(film.indexOf('mdat'));
  });
});

describe('HTTP manners', () => {
  it('a range gets exactly its bytes', async () => {
    const whole = await readFile(join(media, 'video/lake.mp4'));
    const response = await fetch(urlOf('video/lake.mp4'), { headers: { range: 'bytes=1000-1999' } });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes 1000-1999/${whole.length}`);
    expect(Buffer.from(await response.arrayBuffer()).equals(whole.subarray(1000, 2000))).toBe(true);
  });

  it('a range past the end gets 416 with the real length', async () => {
    const response = await fetch(urlOf('twins/a.png'), { headers: { range: 'bytes=9999999-' } });
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toMatch(/^bytes \*\/\d+$/);
  });

  it('If-Range with the current ETag gets the part, with another one the whole', async () => {
    const etag = (await fetch(urlOf('twins/a.jpg'), { method: 'HEAD' })).headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[^"]+"$/);
    const part = (ifRange: string) =>
      fetch(urlOf('twins/a.jpg'), { headers: { range: 'bytes=0-9', 'if-range': ifRange } });
    expect((await part(etag)).status).toBe(206);
    expect((await part('"another"')).status).toBe(200);
  });

  it('a client that has the file gets 304', async () => {
    const first = await fetch(urlOf('photos/lake.webp'));
    await first.arrayBuffer();
    const validators: Record<string, string>[] = [
      { 'if-none-match': first.headers.get('etag') ?? '' },
      { 'if-modified-since': first.headers.get('last-modified') ?? '' },
    ];
    for (const headers of validators) {
      // Not `fetch`: it adds `Cache-Control: no-cache` to conditional requests, which asks for the whole file.
      const { statusCode, body } = await request(urlOf('photos/lake.webp'), { headers });
      await body.dump();
      expect(statusCode).toBe(304);
    }
  });

  it('HEAD tells length and type without a body', async () => {
    const response = await fetch(urlOf('graphics/logo.svg'), { method: 'HEAD' });
    expect(Number(response.headers.get('content-length'))).toBe(
      (await readFile(join(media, 'graphics/logo.svg'))).length,
    );
    expect((await response.arrayBuffer()).byteLength).toBe(0);
  });

  it('what is not there is 404, also outside the folder; writing is 405', async () => {
    expect((await fetch(`${origin.url}photos/none.jpg`)).status).toBe(404);
    expect((await fetch(`${origin.url}%2e%2e%2fREADME.md`)).status).toBeGreaterThanOrEqual(403);
    expect((await fetch(urlOf('twins/a.jpg'), { method: 'DELETE' })).status).toBe(405);
  });

  it('the index page links every file with a link that works', async () => {
    const page = await (await fetch(origin.url)).text();
    const links = [...page.matchAll(/href="\/([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(links.map(decodeURIComponent).sort()).toEqual([...files].sort());
    for (const link of links) expect((await fetch(origin.url + link, { method: 'HEAD' })).status).toBe(200);
  });
});
