import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { type Canary, startCanary } from '../support/canary.ts';

/** Of an origin that means harm: what some browser has taken for a document once, or could. */
const types = [
  ...['text/html', 'TEXT/HTML;', 'text/html(', 'text/html x', 'image/gif, text/html', 'image/gif,text/html, */*'],
  ...[
    'image/gif;a=",text/html;b="',
    'text/html, image/gif',
    'image',
    '*/*',
    'unknown/unknown',
    'text/plain',
    'text/htm',
  ],
  ...['image/svg+xml', 'image/svg+xml-compressed', 'text/xml', 'application/xml', 'application/xhtml+xml', 'text/xsl'],
  ...['application/mathml+xml', 'application/rss+xml', 'application/xslt+xml', 'multipart/x-mixed-replace; boundary=b'],
  ...['message/rfc822', 'multipart/related', 'application/x-mimearchive', 'text/javascript', 'application/pdf'],
];

const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>document.title = "ran"</script></svg>';
const page = '<html xmlns="http://www.w3.org/1999/xhtml"><script>document.title = "ran"</script></html>';

let canary: Canary;
let browser: Browser;

beforeAll(async () => {
  canary = await startCanary([{ prefix: '/cold/', allow: { types: ['video/*'] } }]);
  types.forEach((type, index) => {
    canary.origin.put(`/base/${index}`, Buffer.from(type.startsWith('image/svg') ? svg : page), { type });
  });
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await canary?.[Symbol.asyncDispose]();
});

test('a browser runs scripts of a page that the origin serves by itself, so the pages can', async () => {
  const opened = await browser.newPage();
  await opened.goto(`${canary.origin.url}/base/${types.indexOf('image/gif, text/html')}`);
  expect(await opened.title()).toBe('ran');
  await opened.close();
});

test.for(types.map((type, index) => [type, index] as const))(
  'no script runs on the site’s host in what the origin calls %s',
  async ([, index]) => {
    const opened = await browser.newPage();
    // A download is no page: the browser then says that it went nowhere.
    await opened.goto(`${canary.proxy.delivery}/cold/${index}`).catch((error: Error) => {
      expect(error.message).toContain('Download is starting');
    });
    expect(await opened.title()).not.toBe('ran');
    await opened.close();
  },
);
