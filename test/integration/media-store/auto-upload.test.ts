import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { admin, type RunningOrigin, type RunningStore, startOrigin, startStore } from './harness.ts';

const lake = await readFile(join(import.meta.dirname, '../../../sample/media/photos/lake.jpg'));

async function mapped(folder = 'remote'): Promise<{ store: RunningStore; origin: RunningOrigin }> {
  const origin = await startOrigin((request, response) => {
    if (request.url?.includes('missing')) response.writeHead(404).end();
    else if (request.url?.includes('broken')) response.writeHead(503).end();
    else response.end(lake);
  });
  const store = await startStore();
  await admin(store, 'POST', '/upload_mappings', { folder, template: `${origin.url}/media/` });
  return { store, origin };
}

async function ask(store: RunningStore, path: string, init?: RequestInit) {
  const response = await fetch(`${store.url}/demo/${path}`, init);
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}

test('the first GET under an upload mapping pulls the original, the next one finds it stored', async () => {
  const { store, origin } = await mapped();
  const first = await ask(store, 'image/upload/remote/a/two%20words.jpg');
  expect(first.status).toBe(200);
  expect(first.bytes.equals(lake)).toBe(true);
  expect((await ask(store, 'image/upload/v1/remote/a/two%20words.jpg')).status).toBe(200);
  expect(origin.requests).toEqual(['GET /media/a/two%20words.jpg']);
  const { body } = await admin(store, 'GET', '/resources/image/upload/remote/a/two%20words');
  expect(body).toMatchObject({ public_id: 'remote/a/two words', format: 'jpg', bytes: lake.length });
});

test('HEAD pulls too', async () => {
  const { store, origin } = await mapped();
  const head = await ask(store, 'image/upload/remote/a.jpg', { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, String(lake.length)]);
  expect(origin.requests).toHaveLength(1);
});

test('a transformation on the first request is made from the pulled original', async () => {
  const { store } = await mapped();
  const { status, bytes } = await ask(store, 'image/upload/w_100/v1/remote/a.jpg');
  expect(status).toBe(200);
  expect(bytes.length).toBeLessThan(lake.length);
});

test('many first requests at a time cause one read of the origin', async () => {
  const { store, origin } = await mapped();
  const answers = await Promise.all(Array.from({ length: 30 }, () => ask(store, 'image/upload/remote/a.jpg')));
  expect(answers.every(({ status, bytes }) => status === 200 && bytes.equals(lake))).toBe(true);
  expect(origin.requests).toHaveLength(1);
});

test('a raw file keeps its extension in the public ID', async () => {
  const { store } = await mapped();
  expect((await ask(store, 'raw/upload/remote/data.json')).bytes.equals(lake)).toBe(true);
  expect((await admin(store, 'GET', '/resources/raw/upload/remote/data.json')).status).toBe(200);
});

test('what the origin does not have is 404, what it fails at is 400, and the next request asks again', async () => {
  const { store, origin } = await mapped();
  const missing = await ask(store, 'image/upload/remote/missing.jpg');
  expect([missing.status, missing.headers.get('x-cld-error')]).toEqual([
    404,
    `Resource not found - ${origin.url}/media/missing.jpg`,
  ]);
  const broken = await ask(store, 'image/upload/remote/broken.jpg');
  expect([broken.status, broken.headers.get('x-cld-error')]).toEqual([
    400,
    `Error in loading ${origin.url}/media/broken.jpg - 503 Service Unavailable`,
  ]);
  await ask(store, 'image/upload/remote/broken.jpg');
  expect(origin.requests).toHaveLength(3);
});

test('a public ID outside of every folder asks no origin, a folder is matched at the slash only', async () => {
  const { store, origin } = await mapped();
  expect((await ask(store, 'image/upload/other/a.jpg')).status).toBe(404);
  expect((await ask(store, 'image/upload/remote-other/a.jpg')).status).toBe(404);
  expect((await ask(store, 'image/upload/remote.jpg')).status).toBe(404);
  expect(origin.requests).toEqual([]);
});

test('the longest folder wins', async () => {
  const { store, origin } = await mapped();
  await admin(store, 'POST', '/upload_mappings', { folder: 'remote/deep', template: `${origin.url}/deep/` });
  await ask(store, 'image/upload/remote/deep/a.jpg');
  expect(origin.requests).toEqual(['GET /deep/a.jpg']);
});

test('a path never climbs out of the template', async () => {
  const { store, origin } = await mapped();
  for (const path of ['remote/../../secret.jpg', 'remote/%2e%2e/%2e%2e/secret.jpg', 'remote/..%2fsecret.jpg']) {
    const { hostname, port } = new URL(store.url);
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      request({ hostname, port, path: `/demo/image/upload/${path}` }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBeGreaterThanOrEqual(400);
  }
  expect(origin.requests).toEqual([]);
});

test('the upload preset named like the folder is applied', async () => {
  const { store } = await mapped();
  await admin(store, 'POST', '/upload_presets', { name: 'remote', tags: 'migrated', context: 'by=auto' });
  await ask(store, 'image/upload/remote/a.jpg');
  const { body } = await admin(store, 'GET', '/resources/image/upload/remote/a');
  expect(body).toMatchObject({ tags: ['migrated'], context: { custom: { by: 'auto' } } });
});

test('a private asset is pulled by a signed URL only', async () => {
  const { store, origin } = await mapped();
  expect((await ask(store, 'image/private/remote/a.jpg')).status).toBe(401);
  expect(origin.requests).toEqual([]);
});

test('mappings are created, read, listed page by page, updated and deleted', async () => {
  const store = await startStore();
  const created = await admin(store, 'POST', '/upload_mappings', { folder: 'a', template: 'https://a.example/' });
  expect(created.body).toMatchObject({ message: 'created', folder: 'a' });
  await admin(store, 'POST', '/upload_mappings', { folder: 'b', template: 'https://b.example/' });
  const again = await admin(store, 'POST', '/upload_mappings', { folder: 'a', template: 'https://a.example/' });
  expect([again.status, again.body.error.message]).toEqual([409, 'Mapping for folder a already exists']);
  const page = await admin(store, 'GET', '/upload_mappings?max_results=1');
  expect(page.body.mappings).toMatchObject([{ folder: 'a', template: 'https://a.example/' }]);
  const next = await admin(store, 'GET', `/upload_mappings?max_results=1&next_cursor=${page.body.next_cursor}`);
  expect(next.body).toEqual({ mappings: [expect.objectContaining({ folder: 'b' })] });
  expect(
    (await admin(store, 'PUT', '/upload_mappings', { folder: 'a', template: 'http://new.example/' })).body.message,
  ).toBe('updated');
  expect((await admin(store, 'GET', '/upload_mappings?folder=a')).body.template).toBe('http://new.example/');
  expect((await admin(store, 'DELETE', '/upload_mappings?folder=a')).body.message).toBe('deleted');
  expect((await admin(store, 'GET', '/upload_mappings?folder=a')).status).toBe(404);
  // What follows the folder would go on with the host: `.evil.example/a.jpg`.
  for (const template of ['file:///etc/', 'https://a.example', 'https://a.example?', 'https://a.example#/']) {
    const wrong = await admin(store, 'POST', '/upload_mappings', { folder: 'c', template });
    expect(wrong.status, template).toBe(400);
  }
});
