import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../../support/browser.ts';
import { admin, type RunningStore, startOrigin, startStore } from './harness.ts';

const lake = join(import.meta.dirname, '../../../sample/media/photos/lake.jpg');
let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** A site of another origin than the store's, with a form and a script of its own. */
async function openSite(): Promise<{ page: Page; store: RunningStore }> {
  const store = await startStore();
  await admin(store, 'POST', '/upload_presets', { name: 'browser', unsigned: 'true', folder: 'from-browser' });
  const action = `${store.url}/v1_1/demo/image/upload`;
  const site = await startOrigin((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(
      `<form method="post" enctype="multipart/form-data" action="${action}">
         <input type="file" name="file"><input type="hidden" name="upload_preset" value="browser"><button>Send</button>
       </form>
       <script>
         async function send(preset) {
           const body = new FormData();
           body.append('file', document.querySelector('input').files[0]);
           body.append('upload_preset', preset);
           const headers = { 'X-Requested-With': 'XMLHttpRequest' };
           const response = await fetch('${action}', { method: 'POST', body, headers });
           return { status: response.status, reason: response.headers.get('x-cld-error'), json: await response.json() };
         }
         async function widthOf(url) {
           const image = new Image();
           image.src = url;
           await image.decode();
           return image.naturalWidth;
         }
       </script>`,
    );
  });
  const page = await browser.newPage();
  await page.goto(site.url);
  return { page, store };
}

test('a plain form uploads straight from the browser', async () => {
  const { page, store } = await openSite();
  await page.setInputFiles('input[type=file]', lake);
  const [answer] = await Promise.all([page.waitForResponse(/image\/upload/), page.click('button')]);
  expect(answer.status()).toBe(200);
  const { body } = await admin(store, 'GET', '/resources/image/upload?prefix=from-browser/');
  expect(body.resources).toMatchObject([{ bytes: (await readFile(lake)).length, original_filename: 'lake' }]);
  await page.close();
});

test('fetch uploads across origins, with a header that needs a preflight, and reads answer and error', async () => {
  const { page } = await openSite();
  await page.setInputFiles('input[type=file]', lake);
  const send = (preset: string) => page.evaluate<Sent>(`send(${JSON.stringify(preset)})`);
  const sent = await send('browser');
  expect(sent).toMatchObject({ status: 200, json: { format: 'jpg', bytes: (await readFile(lake)).length } });
  expect(await send('none')).toMatchObject({ status: 400, reason: 'Upload preset not found' });
  expect(await page.evaluate(`widthOf(${JSON.stringify(sent.json.secure_url)})`)).toBe(sent.json.width);
  await page.close();
});

interface Sent {
  readonly status: number;
  readonly reason: string | null;
  readonly json: { readonly secure_url: string; readonly width: number };
}
