import { expect, test } from 'vitest';
import { signParameters } from '../../../src/cloudinary/signature.ts';
import { apiKey, apiSecret, type FormValue, post, readAnswer, signed, startStore } from './harness.ts';

const file = 'data:text/plain;base64,aGVsbG8=';
const path = '/raw/upload';

function form(parameters: Record<string, string>, sign: object): Record<string, FormValue> {
  const stamped = { timestamp: String(Math.floor(Date.now() / 1000)), ...parameters };
  return { ...stamped, file, api_key: apiKey, signature: signParameters(stamped, apiSecret, sign) };
}

test.each([
  { algorithm: 'sha1', version: 1 },
  { algorithm: 'sha1', version: 2 },
  { algorithm: 'sha256', version: 1 },
  { algorithm: 'sha256', version: 2 },
])('a signature by $algorithm, version $version, is accepted', async (sign) => {
  const store = await startStore();
  const { status } = await post(store, path, form({ context: 'caption=salt & pepper', tags: 'a,b' }, sign));
  expect(status).toBe(200);
});

test('a wrong signature is answered 401 with the string to sign, in the body and in X-Cld-Error', async () => {
  const store = await startStore();
  const { status, body, headers } = await post(store, path, {
    ...form({ public_id: 'a', timestamp: '1315060510' }, {}),
    signature: '0'.repeat(40),
  });
  expect(status).toBe(401);
  const message = `Invalid Signature ${'0'.repeat(40)}. String to sign - 'public_id=a&timestamp=1315060510'.`;
  expect(body).toEqual({ error: { message } });
  expect(headers.get('x-cld-error')).toBe(message);
});

test('a parameter added after signing is refused', async () => {
  const store = await startStore();
  const { status } = await post(store, path, { ...form({}, {}), tags: 'smuggled' });
  expect(status).toBe(401);
});

test.each([
  ['an hour and a second old', -3601, 'ago'],
  ['an hour and a second ahead', 3601, 'ahead'],
])('a signature %s is stale', async (_name, seconds, direction) => {
  const now = Date.UTC(2026, 10, 24, 12, 0, 0);
  const store = await startStore({ clock: () => now });
  const timestamp = now / 1000 + seconds;
  const { status, body } = await post(store, path, form({ timestamp: String(timestamp) }, {}));
  expect(status).toBe(400);
  const reported = seconds < 0 ? '2026-11-24 10:59:59 +0000' : '2026-11-24 13:00:01 +0000';
  expect(body.error.message).toBe(
    `Stale request - reported time is ${reported} which is more than 1 hour ${direction}`,
  );
});

test('a signature of an hour ago is still good', async () => {
  const now = Date.UTC(2026, 10, 24, 12, 0, 0);
  const store = await startStore({ clock: () => now });
  const { status } = await post(store, path, form({ timestamp: String(now / 1000 - 3600) }, {}));
  expect(status).toBe(200);
});

test('another api_key is refused by its name', async () => {
  const store = await startStore();
  const { status, body } = await post(store, path, { ...form({}, {}), api_key: '999' });
  expect([status, body.error.message]).toEqual([401, 'Invalid api_key 999']);
});

test('another cloud name is refused', async () => {
  const store = await startStore();
  const answer = await readAnswer(await fetch(`${store.url}/v1_1/other/image/upload`, { method: 'POST' }));
  expect([answer.status, answer.body.error.message]).toEqual([401, 'Invalid cloud_name other']);
});

test('Basic and Bearer need neither signature nor timestamp', async () => {
  const store = await startStore({ bearerTokens: ['oauth-token'] });
  const basic = `Basic ${Buffer.from(`${apiKey}:${apiSecret}`).toString('base64')}`;
  expect((await post(store, path, { file }, { authorization: basic })).status).toBe(200);
  expect((await post(store, path, { file }, { authorization: 'Bearer oauth-token' })).status).toBe(200);
  expect((await post(store, path, { file }, { authorization: 'Bearer other' })).status).toBe(401);
  const wrong = `Basic ${Buffer.from(`${apiKey}:guess`).toString('base64')}`;
  const refused = await post(store, path, { file }, { authorization: wrong });
  expect([refused.status, refused.body.error.message]).toEqual([401, 'api_secret mismatch']);
});

test('no answer ever holds the secret', async () => {
  const store = await startStore();
  const answers = [
    await post(store, path, signed({ file })),
    await post(store, path, { ...form({}, {}), signature: '1'.repeat(40) }),
    await post(store, path, { file }),
  ];
  expect(JSON.stringify(answers.map(({ body, headers }) => [body, [...headers]]))).not.toContain(apiSecret);
});
