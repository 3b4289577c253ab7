import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Scene, settled, startScene } from '../integration/first-request/scene.ts';
import { temporaryDirectory } from '../integration/first-request/temporary-directory.ts';
import { launchBrowser, saveScreenshot } from '../support/browser.ts';

const video = readFileSync(join(import.meta.dirname, '../../sample/media/video/lake.mp4'));
const names = Array.from({ length: 60 }, (_, index) => `/img/${index}.jpg`);

let scene: Scene;
let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
  scene = await startScene({
    storeDirectory: temporaryDirectory(),
    mappings: [
      { prefix: '/img/', upload: { via: 'bytes' } },
      { prefix: '/video/', upload: { via: 'bytes' } },
    ],
  });
  await Promise.all(names.map(async (name, index) => scene.origin.put(name, await picture(index))));
  scene.origin.put('/video/lake.mp4', video, { type: 'video/mp4' });
  const images = names.map((name) => `<img src="${scene.proxy.delivery}${name}" width="160" height="120">`).join('');
  const page = `<!doctype html><title>Sixty</title><body style="margin:8px;width:1700px">${images}
    <video src="${scene.proxy.delivery}/video/lake.mp4" preload="metadata" muted width="320"></video>`;
  scene.origin.put('/page.html', page, { type: 'text/html; charset=utf-8' });
});
afterAll(async () => {
  await browser?.close();
  await scene?.[Symbol.asyncDispose]();
});

/** A picture of its own colour, with its number in it. */
async function picture(index: number): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240"><rect width="320" height="240" fill="hsl(${index * 6} 70% 45%)"/>
    <circle cx="160" cy="120" r="90" fill="hsl(${index * 6 + 40} 80% 70%)"/><text x="160" y="150" font-size="90" text-anchor="middle">${index}</text></svg>`;
  return sharp(Buffer.from(svg)).jpeg().toBuffer();
}

interface Shown {
  readonly complete: number;
  readonly seeked: number;
  readonly frame: string;
}

/** Opens the page in a fresh profile, waits for every picture, and seeks in the video. */
async function show(name: string): Promise<Shown & { readonly answers: { url: string; status: number }[] }> {
  const context = await browser.newContext({ viewport: { width: 1720, height: 900 } });
  const page = await context.newPage();
  const answers: { url: string; status: number }[] = [];
  page.on('response', (response) => answers.push({ url: response.url(), status: response.status() }));
  await page.goto(`${scene.origin.url}/page.html`, { waitUntil: 'load' });
  // As text: what runs in the page knows types that this side does not.
  const shown = (await page.evaluate(`(async () => {
    const images = [...document.images];
    await Promise.all(images.map((image) => image.decode()));
    const video = document.querySelector('video');
    if (video.readyState < 1) await new Promise((resolve) => video.addEventListener('loadedmetadata', resolve, { once: true }));
    const seeked = new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }));
    video.currentTime = video.duration * 0.8;
    await seeked;
    return {
      complete: images.filter(({ complete, naturalWidth, naturalHeight }) => complete && naturalWidth === 320 && naturalHeight === 240).length,
      seeked: video.currentTime / video.duration,
      frame: video.videoWidth + 'x' + video.videoHeight,
    };
  })()`)) as Shown;
  await saveScreenshot(page, name);
  await context.close();
  return { ...shown, answers };
}

test('a page of sixty cold pictures and a video it seeks in is complete at once, and comes from the store the next time', async () => {
  const cold = await show('cold-page');
  expect(cold).toMatchObject({
    complete: 60,
    seeked: expect.closeTo(0.8, 2),
    frame: expect.stringMatching(/^[1-9]\d*x[1-9]/),
  });
  for (const name of [...names, '/video/lake.mp4']) {
    expect(await settled(scene.proxy, name)).toMatchObject({ stored: true });
    // One read for the clients and the copy together; the video's ranges come on top.
    expect(scene.origin.bodyReads(name)).toBeLessThanOrEqual(name.startsWith('/img/') ? 1 : 2);
  }

  const requests = scene.origin.requests.length;
  const warm = await show('warm-page');
  expect(warm).toMatchObject({ complete: 60, seeked: expect.closeTo(0.8, 2) });
  expect(
    warm.answers.filter(({ url, status }) => url.startsWith(scene.store.url) && status === 200).length,
  ).toBeGreaterThanOrEqual(60);
  expect(
    scene.origin.requests
      .slice(requests)
      .map(({ path }) => path)
      .filter((path) => path !== '/page.html' && path !== '/favicon.ico'),
  ).toEqual([]);
});
