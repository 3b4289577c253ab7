import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { verifyNotification } from '../../../src/cloudinary/signature.ts';
import { admin, apiSecret, startOrigin, startStore, upload } from './harness.ts';

const lake = await readFile(join(import.meta.dirname, '../../../sample/media/photos/lake.jpg'));

interface Notification {
  readonly isGenuine: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: JSON of another program's format.
  readonly body: any;
}

/** A webhook that checks each signature; `next` resolves with the next notification. */
async function startWebhook(statuses: number[] = []) {
  const arrivals = new EventEmitter();
  const origin = await startOrigin(async (request, response) => {
    const body = await text(request);
    response.writeHead(statuses.shift() ?? 200).end();
    const received = {
      body,
      timestamp: String(request.headers['x-cld-timestamp']),
      signature: String(request.headers['x-cld-signature']),
    };
    const isGenuine = verifyNotification(received, apiSecret, { now: Date.now() });
    arrivals.emit('notification', { isGenuine, body: JSON.parse(body) });
  });
  return {
    url: `${origin.url}/hook`,
    next: async (): Promise<Notification> => (await once(arrivals, 'notification'))[0],
  };
}

test('an upload is reported to its notification URL, signed, with the whole answer', async () => {
  const store = await startStore();
  const hook = await startWebhook();
  const notification = hook.next();
  const { body } = await upload(store, { file: new File([lake], 'a.jpg'), public_id: 'a', notification_url: hook.url });
  const { isGenuine, body: sent } = await notification;
  expect(isGenuine).toBe(true);
  expect(sent).toMatchObject({
    notification_type: 'upload',
    public_id: 'a',
    etag: body.etag,
    secure_url: body.secure_url,
  });
});

test('a webhook that fails is tried again', async () => {
  const store = await startStore();
  const hook = await startWebhook([503]);
  const first = hook.next();
  await upload(store, { file: 'data:,x', notification_url: hook.url }, '/raw/upload');
  await first;
  expect((await hook.next()).body.notification_type).toBe('upload');
});

test('a webhook in a private network is not called unless the options open it', async () => {
  const hook = await startOrigin((_request, response) => response.end());
  const store = await startStore({ allowPrivateOrigins: false });
  const answer = await upload(store, { file: 'data:,x', notification_url: hook.url }, '/raw/upload');
  expect(answer.status).toBe(200);
  await store.close();
  expect(hook.requests).toEqual([]);
});

test('an async upload is answered at once and reported when it is stored', async () => {
  const origin = await startOrigin((_request, response) => response.end(lake));
  const store = await startStore();
  const hook = await startWebhook();
  const notification = hook.next();
  const form = { file: `${origin.url}/a.jpg`, public_id: 'later', async: 'true', notification_url: hook.url };
  const { body } = await upload(store, form, '/auto/upload');
  expect(body).toMatchObject({ status: 'pending', public_id: 'later', type: 'upload' });
  expect(body.batch_id).toMatch(/^[0-9a-f]{32}$/);
  expect((await notification).body).toMatchObject({ public_id: 'later', bytes: lake.length });
  expect((await admin(store, 'GET', '/resources/image/upload/later')).status).toBe(200);
});

test('an async upload of sent bytes keeps them until they are stored', async () => {
  const store = await startStore();
  const hook = await startWebhook();
  const notification = hook.next();
  await upload(store, { file: new File([lake], 'a.jpg'), async: '1', notification_url: hook.url });
  expect((await notification).body.bytes).toBe(lake.length);
});

test('an async upload that fails is reported with the reason', async () => {
  const store = await startStore();
  const hook = await startWebhook();
  const notification = hook.next();
  const { status } = await upload(store, { file: 'data:,x', async: '1', notification_url: hook.url });
  expect(status).toBe(200);
  expect((await notification).body).toMatchObject({
    notification_type: 'error',
    status: 400,
    error: { message: 'Invalid image file' },
  });
});

test('eager pictures are made with the upload and described in its answer', async () => {
  const store = await startStore();
  const eager = 'c_fill,h_50,w_80/png|w_40';
  const { body } = await upload(store, { file: new File([lake], 'a.jpg'), public_id: 'a', eager });
  expect(body.eager).toMatchObject([
    { transformation: 'c_fill,h_50,w_80', width: 80, height: 50, format: 'png' },
    { transformation: 'w_40', width: 40, format: 'jpg' },
  ]);
  const response = await fetch(body.eager[0].secure_url);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/png']);
  expect((await response.arrayBuffer()).byteLength).toBe(body.eager[0].bytes);
});

test('with eager_async they follow, and the eager notification URL hears of them', async () => {
  const store = await startStore();
  const hook = await startWebhook();
  const notification = hook.next();
  const { body } = await upload(store, {
    file: new File([lake], 'a.jpg'),
    public_id: 'a',
    eager: 'w_40',
    eager_async: '1',
    eager_notification_url: hook.url,
  });
  expect(body.eager).toMatchObject([{ status: 'processing', transformation: 'w_40' }]);
  const { isGenuine, body: sent } = await notification;
  expect(isGenuine).toBe(true);
  expect(sent).toMatchObject({
    notification_type: 'eager',
    batch_id: body.batch_id,
    public_id: 'a',
    eager: [{ width: 40 }],
  });
});

test('an eager transformation that is not supported stops the upload before anything is stored', async () => {
  const store = await startStore();
  const { status, body } = await upload(store, {
    file: new File([lake], 'a.jpg'),
    public_id: 'a',
    eager: 'w_40,fl_relative',
  });
  expect(status).toBe(400);
  expect(body.error.message).toContain('fl_relative');
  expect((await admin(store, 'GET', '/resources/image/upload/a')).status).toBe(404);
});
