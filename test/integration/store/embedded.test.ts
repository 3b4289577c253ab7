// The driver on the embedded store, in every way an account can be set up.
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { CloudinaryStore, CloudinaryStoreOptions } from '../../../src/store/cloudinary/cloudinary-store.ts';
import { admin, apiKey, apiSecret, cloudName, type RunningStore, startStore } from '../media-store/harness.ts';
import { bytesUpload, driverFor, md5, rejection, urlUpload } from './harness.ts';

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const dataUri = `data:image/png;base64,${png.toString('base64')}`;
const account = `cloudinary://${apiKey}:${apiSecret}@${cloudName}`;

function driverOn(store: RunningStore, options: Partial<CloudinaryStoreOptions> = {}): CloudinaryStore {
  return driverFor({ url: store.url }, { url: account, ...options });
}

test('every kind of authentication stores the same copy', async () => {
  const store = await startStore({ bearerTokens: ['to-ken'] });
  for (const [url, authentication] of [
    [account, 'signature'],
    [`${account}?signature_version=1`, 'signature'],
    [`${account}?signature_algorithm=sha256`, 'signature'],
    [account, 'basic'],
    [`cloudinary://${cloudName}?oauth_token=to-ken`, 'bearer'],
  ] as const) {
    const driver = driverOn(store, { url, authentication });
    const stored = await driver.upload({
      ...bytesUpload(png),
      options: { overwrite: true, context: { alt: 'a & b=c|d' } },
    });
    expect(stored).toMatchObject({ publicId: 'site/a', bytes: png.length, md5: md5(png) });
    expect(await driver.describe(stored)).toMatchObject({ md5: md5(png), version: stored.version });
  }
});

test('an unsigned upload goes by its preset and finds what is there', async () => {
  const store = await startStore();
  await admin(store, 'POST', '/upload_presets', { name: 'open', unsigned: 'true', tags: 'from-preset' });
  const driver = driverOn(store, { url: `cloudinary://${cloudName}` });
  const request = { ...bytesUpload(png), options: { overwrite: false, preset: 'open', tags: ['mine'] } };
  expect(await driver.upload(request)).toMatchObject({ publicId: 'site/a', existing: false });
  expect(await driver.upload(request)).toMatchObject({ publicId: 'site/a', existing: true });
  const unknown = { ...request, options: { overwrite: false, preset: 'none' } };
  expect(await rejection(driver.upload(unknown))).toMatchObject({
    reason: 'store-rejected',
    hint: expect.stringContaining('preset'),
  });
});

test('a wrong secret, key or cloud is a failure of authentication that says what to check', async () => {
  const store = await startStore();
  for (const url of [
    `cloudinary://${apiKey}:wrong@${cloudName}`,
    `cloudinary://1:${apiSecret}@${cloudName}`,
    `cloudinary://${apiKey}:${apiSecret}@other`,
  ]) {
    const driver = driverOn(store, { url });
    for (const failure of [rejection(driver.upload(urlUpload())), rejection(driver.ping())]) {
      expect(await failure).toMatchObject({ reason: 'store-auth', hint: expect.any(String) });
    }
  }
});

test('a clock that is wrong by more than an hour is named', async () => {
  const store = await startStore();
  const driver = driverOn(store, { now: () => Date.now() - 2 * 3600e3 });
  expect(await rejection(driver.upload(urlUpload()))).toMatchObject({
    reason: 'store-auth',
    hint: expect.stringContaining('clock'),
  });
});

test('a data URI is handed over like any URL', async () => {
  const store = await startStore();
  const stored = await driverOn(store).upload(urlUpload({ source: { kind: 'remote-url', url: dataUri } }));
  expect(stored).toMatchObject({ format: 'png', md5: md5(png) });
});

test('an upload in the background is done when the store says so', async () => {
  const store = await startStore();
  const polling = { firstIntervalMs: 5, longestIntervalMs: 50, looks: 200 };
  const driver = driverOn(store, { polling });
  const request = { ...bytesUpload(png), options: { overwrite: false, async: true } };
  expect(await driver.upload(request)).toMatchObject({ publicId: 'site/a', md5: md5(png) });
});

test('the hourly limit of the Admin API is heard and kept', async () => {
  const now = Date.UTC(2026, 10, 24, 16, 40);
  const store = await startStore({ adminCallsPerHour: 1, clock: () => now });
  const driver = driverOn(store, { now: () => now });
  const identity = { publicId: 'a', resourceType: 'image', deliveryType: 'upload' } as const;
  expect(await driver.describe(identity)).toBeUndefined();
  expect(await rejection(driver.describe(identity))).toMatchObject({
    reason: 'store-rate-limited',
    retryAfterMs: 20 * 60_000,
  });
  // Uploads are not counted.
  await expect(driver.upload(urlUpload({ source: { kind: 'remote-url', url: dataUri } }))).resolves.toBeDefined();
});

test('the limits of the plan are the store’s own', async () => {
  const store = await startStore({ limits: { imageBytes: 50 } });
  const driver = driverOn(store);
  expect(await driver.limits()).toMatchObject({ image: 50 });
  expect(await rejection(driver.upload(bytesUpload(png)))).toMatchObject({ reason: 'too-large' });
  // Where nobody knew the length before, the store refuses it.
  expect(await rejection(driver.upload(bytesUpload(png, {})))).toMatchObject({ reason: 'too-large', status: 400 });
});

test('an answer that is lost after the work costs a second request and no second asset', async () => {
  const store = await startStore();
  store.faults.add({ method: 'POST', path: '/upload', reset: 'after', times: 1 });
  const stored = await driverOn(store).upload(urlUpload({ source: { kind: 'remote-url', url: dataUri } }));
  expect(stored).toMatchObject({ existing: true, md5: md5(png) });
});

test('a private copy is read by a signed URL, short or long, and by no other', async () => {
  const store = await startStore();
  const target = { publicId: 'site/secret b', resourceType: 'image', deliveryType: 'authenticated' } as const;
  for (const url of [account, `${account}?long_url_signature=true`]) {
    const driver = driverOn(store, { url });
    const stored = await driver.upload({ ...bytesUpload(png), target });
    expect((await buffer((await driver.open(stored, {})).body)).equals(png)).toBe(true);
    const unsigned = driver.deliveryUrl(stored).replace(/s--[\w-]+--\//, '');
    expect((await fetch(unsigned)).status).toBe(401);
  }
});
