import { expect, test } from 'vitest';
import { admin, readAnswer, startStore, upload } from './harness.ts';

const text = { file: 'data:,x', public_id: 'a.txt' };

test('an injected status strikes as often as it says, with its body as it is', async () => {
  const store = await startStore();
  store.faults.add({ method: 'POST', path: '/upload', status: 503, body: '<html>busy</html>', times: 1 });
  const struck = await fetch(`${store.url}/v1_1/demo/raw/upload`, { method: 'POST' });
  expect([struck.status, await struck.text()]).toEqual([503, '<html>busy</html>']);
  expect((await upload(store, text, '/raw/upload')).status).toBe(200);
});

test('a reset before the work leaves nothing stored, one after it leaves the asset and loses the answer', async () => {
  const store = await startStore();
  store.faults.add({ reset: 'before', times: 1 });
  await expect(upload(store, text, '/raw/upload')).rejects.toThrow();
  expect((await admin(store, 'GET', '/resources/raw/upload/a.txt')).status).toBe(404);
  store.faults.add({ reset: 'after', times: 1 });
  await expect(upload(store, text, '/raw/upload')).rejects.toThrow();
  expect((await admin(store, 'GET', '/resources/raw/upload/a.txt')).status).toBe(200);
});

test('a delay keeps the answer back', async () => {
  const store = await startStore();
  store.faults.add({ delay: 100, times: 1 });
  const begin = performance.now();
  await upload(store, text, '/raw/upload');
  expect(performance.now() - begin).toBeGreaterThanOrEqual(95);
});

test('the Admin API counts its calls by the hour and answers 420 with the limit and its end', async () => {
  const now = Date.UTC(2026, 10, 24, 12, 34, 0);
  let clock = now;
  const store = await startStore({ adminCallsPerHour: 2, clock: () => clock });
  const first = await admin(store, 'GET', '/ping');
  expect(first.headers.get('x-featureratelimit-limit')).toBe('2');
  expect(first.headers.get('x-featureratelimit-remaining')).toBe('1');
  expect(first.headers.get('x-featureratelimit-reset')).toBe('Tue, 24 Nov 2026 13:00:00 GMT');
  await admin(store, 'GET', '/ping');
  const third = await admin(store, 'GET', '/ping');
  expect([third.status, third.body.error.message]).toEqual([
    420,
    'Rate Limit Exceeded. Limit of 2 api operations reached. Try again on 2026-11-24 13:00:00 UTC',
  ]);
  expect(third.headers.get('x-featureratelimit-remaining')).toBe('0');
  clock += 3600e3;
  expect((await admin(store, 'GET', '/ping')).status).toBe(200);
  store.limitAdminCalls(0);
  expect((await admin(store, 'GET', '/ping')).status).toBe(420);
});

test('another process sets the switches on a loopback listener of their own', async () => {
  const store = await startStore();
  const control = await store.listenControl({ host: '127.0.0.1', port: 0 });
  const call = async (method: string, path: string, body?: object) =>
    readAnswer(
      await fetch(`${control}${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      }),
    );
  expect((await call('POST', '/faults', { path: '/upload', status: 420 })).body).toEqual([
    { path: '/upload', status: 420 },
  ]);
  expect((await upload(store, text, '/raw/upload')).status).toBe(420);
  expect((await call('DELETE', '/faults')).body).toEqual([]);
  expect((await upload(store, text, '/raw/upload')).status).toBe(200);
  expect((await call('GET', '/counts')).body).toEqual({ uploads: 2, admin: 0, deliveries: 0, others: 0 });
  expect((await call('PUT', '/rate-limit', { adminCallsPerHour: 0 })).status).toBe(200);
  expect((await admin(store, 'GET', '/ping')).status).toBe(420);
  const wrong = await call('POST', '/faults', { status: 'many', typo: 1 });
  expect(wrong.status).toBe(400);
  expect(wrong.body.error.message).toContain('typo');
});

test('the switches are out of reach on the store’s own address, from other hosts and under other names', async () => {
  const store = await startStore();
  expect((await fetch(`${store.url}/faults`, { method: 'DELETE' })).status).toBe(405);
  await expect(store.listenControl({ host: '0.0.0.0', port: 0 })).rejects.toThrow(/loopback/);
  const control = new URL(await store.listenControl({ host: '127.0.0.1', port: 0 }));
  const { request } = await import('node:http');
  const status = await new Promise((resolve) => {
    request(
      { hostname: control.hostname, port: control.port, headers: { host: 'evil.example' }, path: '/faults' },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      },
    ).end();
  });
  expect(status).toBe(403);
});
