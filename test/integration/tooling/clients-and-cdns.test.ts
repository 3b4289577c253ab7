import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SampleOrigin, startSampleOrigin } from '../../../sample/origin.ts';
import { launchBrowser, saveScreenshot } from '../../support/browser.ts';
import { type Cdn, startNginx, startVarnish } from '../../support/cdn.ts';
import { curl, wget } from '../../support/command.ts';

const lake = await readFile(join(import.meta.dirname, '../../../sample/media/photos/lake.jpg'));

let origin: SampleOrigin;
beforeAll(async () => {
  origin = await startSampleOrigin({ host: '127.0.0.1', port: 0 });
});
afterAll(() => origin.close());

describe.each([
  ['curl', curl],
  ['wget', wget],
] as const)('%s as a test client', (_, client) => {
  it('collects status, headers and the exact bytes', async () => {
    const result = await client(`${origin.url}photos/lake.jpg`);
    expect(result).toMatchObject({ code: 0, status: 200 });
    expect(result.headers['content-type']).toBe('image/jpeg');
    expect(result.body.equals(lake)).toBe(true);
  });

  it('collects an error answer as well', async () => {
    const result = await client(`${origin.url}none.jpg`);
    expect(result.status).toBe(404);
    expect(result.body.toString()).toContain('Not Found');
  });

  it('tells by its exit code that nobody answered', async () => {
    const result = await client('http://127.0.0.1:1/');
    expect(result.code).not.toBe(0);
    expect(result.status).toBe(0);
  });
});

it('curl hands its arguments on: a range gets its part', async () => {
  const result = await curl(`${origin.url}photos/lake.jpg`, '-H', 'Range: bytes=0-9');
  expect(result.status).toBe(206);
  expect(result.body.equals(lake.subarray(0, 10))).toBe(true);
});

describe.each([
  ['nginx', startNginx],
  ['Varnish', startVarnish],
] as const)('%s as a CDN', (_, start) => {
  let cdn: Cdn;
  beforeAll(async () => {
    cdn = await start(origin.url);
  });
  afterAll(() => cdn.close());

  it('answers the second client from its cache with the same bytes', async () => {
    const first = await curl(`${cdn.url}/photos/lake.jpg`);
    const second = await curl(`${cdn.url}/photos/lake.jpg`);
    expect([first.headers['x-cache'], second.headers['x-cache']]).toEqual(['MISS', 'HIT']);
    expect(second.body.equals(lake)).toBe(true);
  });

  it('hands a path on as the client wrote it', async () => {
    expect((await curl(`${cdn.url}/photos/100%25%20%231%20%26%20more.jpg`)).status).toBe(200);
  });

  it('is gone once it is closed', async () => {
    const other = await start(origin.url);
    await other.close();
    expect((await curl(other.url)).status).toBe(0);
  });
});

it('a CDN that cannot start says why', async () => {
  await expect(startVarnish('http://no-such-host.invalid:80')).rejects.toThrow(/no-such-host\.invalid/);
});

it('the browser opens a page of ours, and no other host', async () => {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(origin.url);
    expect(await page.locator('h1').textContent()).toBe('Sample origin');
    expect((await stat(await saveScreenshot(page, 'sample-origin'))).size).toBeGreaterThan(1000);
    await expect(page.goto('http://www.example.com/')).rejects.toThrow(/ERR_NAME_NOT_RESOLVED/);
  } finally {
    await browser.close();
  }
});
