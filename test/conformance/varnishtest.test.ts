import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signatureOf } from '../../src/delivery/signed-delivery.ts';
import { type Canary, startCanary } from '../support/canary.ts';
import { runCommand } from '../support/command.ts';
import { getRaw } from '../support/raw-http.ts';

const scripts = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.vtc'));
const lake = readFileSync(new URL('../../sample/media/photos/lake.jpg', import.meta.url));
const secret = 'a-signing-key-of-32-characters-or-more';

let canary: Canary;

beforeAll(async () => {
  canary = await startCanary(
    [
      { prefix: '/cold/', allow: { types: ['video/*'], extensions: ['jpg'] } },
      { prefix: '/warm/' },
      { prefix: '/stream/', warm: 'stream' },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the configuration takes its secrets so.
      { prefix: '/signed/', signedDelivery: { keys: ['${SIGNING_KEY}'], unsigned: 'refuse' } },
    ],
    {},
    { SIGNING_KEY: secret },
  );
  // With headers that tell of the origin, and are nobody's business.
  const headers = { server: 'Apache', 'x-powered-by': 'PHP', 'x-internal': 'db-1' };
  canary.origin.put('/base/a.jpg', lake, { etag: '"lake"', headers });
  canary.origin.put('/base/a.php', lake);
  for (const prefix of ['/warm/', '/stream/']) {
    await getRaw(canary.proxy.delivery, `${prefix}a.jpg`);
    await canary.proxy.logged(({ event, asset }) => event === 'stored' && JSON.stringify(asset).includes(prefix));
  }
});

afterAll(async () => {
  await canary?.[Symbol.asyncDispose]();
});

/** The query of a URL of `/signed/a.jpg` that is valid until 2100. */
function signature(): string {
  const expires = '4102444800';
  const key = { mapping: '/signed/', path: 'a.jpg', query: '' };
  return `ferry-expires=${expires}&ferry-signature=${signatureOf(key, expires, secret)}`;
}

test.each(scripts)('%s', async (script) => {
  const { hostname, port } = new URL(canary.proxy.delivery);
  const macros = ['-D', `proxy=${hostname} ${port}`, '-D', `signature=${signature()}`];
  const args = ['-t', '20', ...macros, join(import.meta.dirname, script)];
  const { code, stdout, stderr } = await runCommand('varnishtest', args);
  expect(code, `${stdout.toString()}${stderr}`).toBe(0);
});

test('there are scripts', () => expect(scripts.length).toBeGreaterThanOrEqual(5));
