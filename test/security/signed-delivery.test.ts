import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signatureOf } from '../../src/delivery/signed-delivery.ts';
import { countBadInputs } from '../support/bad-inputs.ts';
import { type Canary, startCanary } from '../support/canary.ts';
import { getRaw } from '../support/raw-http.ts';

const key = 'a-signing-key-of-32-characters-or-more';
const lake = readFileSync(new URL('../../sample/media/photos/lake.jpg', import.meta.url));

let canary: Canary;

beforeAll(async () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the configuration takes its secrets so.
  const signedDelivery = { keys: ['${NEW_KEY}', '${OLD_KEY}'] };
  canary = await startCanary(
    [
      { prefix: '/open/', query: 'key', signedDelivery },
      { prefix: '/closed/', signedDelivery: { ...signedDelivery, unsigned: 'refuse' } },
    ],
    { log: { level: 'debug' } },
    { NEW_KEY: 'another-signing-key-of-32-characters', OLD_KEY: key },
  );
  for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) canary.origin.put(`/base/${name}`, lake);
});

afterAll(async () => {
  await canary?.[Symbol.asyncDispose]();
});

function signed(mapping: string, path: string, query = ''): string {
  const expires = String(Math.floor(Date.now() / 1000) + 60);
  return `ferry-expires=${expires}&ferry-signature=${signatureOf({ mapping, path, query }, expires, key)}`;
}

async function stored(prefix: string, name: string): Promise<void> {
  await canary.proxy.logged(({ event, asset }) => {
    const { mapping, path } = (asset ?? {}) as { mapping?: string; path?: string };
    return event === 'stored' && mapping === prefix && path === name;
  });
}

async function records(): Promise<string[]> {
  const { assets } = (await (await fetch(`${canary.proxy.admin}/api/assets`)).json()) as {
    assets: { key: { mapping: string; path: string; query: string } }[];
  };
  return assets.map(({ key: { mapping, path, query } }) => `${mapping}${path}?${query}`);
}

test('an unsigned URL is passed through or refused, and starts no upload', async (context) => {
  const bad = [
    '',
    '?ferry-expires=9999999999',
    `?${signed('/open/', 'other.jpg')}`,
    '?ferry-signature=0&ferry-expires=1',
  ];
  for (const query of bad) {
    expect((await getRaw(canary.proxy.delivery, `/open/a.jpg${query}`)).status).toBe(200);
    const before = canary.origin.requests.length;
    const refused = await getRaw(canary.proxy.delivery, `/closed/a.jpg${query}`);
    expect(refused).toMatchObject({ status: 403, headers: { 'cache-control': 'no-store' } });
    const converted = await getRaw(canary.proxy.delivery, `/local/image/upload/v1/closed/a_jpg.webp${query}`);
    expect([403, 404]).toContain(converted.status);
    expect(canary.origin.requests.length, 'what is refused costs the origin nothing').toBe(before);
  }
  expect(await records()).toEqual([]);
  countBadInputs(context, bad.length * 3);
});

test('a signed URL starts the upload, and then everybody gets the copy', async () => {
  for (const prefix of ['/open/', '/closed/']) {
    expect((await getRaw(canary.proxy.delivery, `${prefix}b.jpg?${signed(prefix, 'b.jpg')}`)).status).toBe(200);
    await stored(prefix, 'b.jpg');
    expect((await getRaw(canary.proxy.delivery, `${prefix}b.jpg`)).status).toBe(302);
  }
});

test('neither the origin nor the redirect to the store nor the ledger learns of the signature', async () => {
  const query = `v=2&${signed('/open/', 'c.jpg', 'v=2')}&w=3`;
  // The mapping counts the whole query, and `w=3` was not signed.
  await getRaw(canary.proxy.delivery, `/open/c.jpg?${query}`);
  const good = `v=2&${signed('/open/', 'c.jpg', 'v=2')}`;
  await getRaw(canary.proxy.delivery, `/open/c.jpg?${good}`);
  await stored('/open/', 'c.jpg');
  const warm = await getRaw(canary.proxy.delivery, `/open/c.jpg?${good}`);
  expect(warm.status).toBe(302);
  expect(await records()).not.toContain('/open/c.jpg?v=2&w=3');
  expect(await records()).toContain('/open/c.jpg?v=2');
  for (const { url } of canary.origin.requests) expect(url).not.toContain('ferry-signature');
  expect(warm.text).not.toContain('ferry-signature');
  expect(canary.proxy.output()).not.toContain(key);
});
