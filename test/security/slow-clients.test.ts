import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { Readable } from 'node:stream';
import { afterEach, expect, test, vi } from 'vitest';
import { type Listener, listen } from '../../src/server/listener.ts';
import { countBadInputs } from '../support/bad-inputs.ts';
import { startCanary } from '../support/canary.ts';
import { patternContent } from '../support/chaos-content.ts';
import { dial, getRaw, sendRaw } from '../support/raw-http.ts';

const lake = readFileSync(new URL('../../sample/media/photos/lake.jpg', import.meta.url));

let listener: Listener | undefined;

afterEach(async () => {
  await listener?.close(0);
  listener = undefined;
});

async function start(handler: RequestListener, limits: Partial<Parameters<typeof listen>[2]> = {}): Promise<Listener> {
  listener = await listen(handler, { host: '127.0.0.1', port: 0 }, { maxConnections: 100, ...limits });
  return listener;
}

test('the live server has the limits of the hardening list', async () => {
  const { server } = await start((_, response) => response.end());
  const options = server as unknown as Record<string, unknown>;
  expect(options).toMatchObject({
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    // CDNs and load balancers rest for 60 s; who closes first must not be us.
    keepAliveTimeout: 65_000,
    maxRequestsPerSocket: 10_000,
    maxConnections: 100,
    connectionsCheckingInterval: 2_000,
    maxHeaderSize: 16_384,
    insecureHTTPParser: false,
    joinDuplicateHeaders: false,
    requireHostHeader: true,
    rejectNonStandardBodyWrites: true,
    noDelay: true,
  });
  expect(server.listenerCount('clientError')).toBe(1);
  expect(server.listenerCount('upgrade')).toBe(0);
  expect(process.execArgv.join(' ')).not.toContain('insecure-http-parser');
});

test('a client that does not read what it asked for is cut, and one that reads slowly is not', async () => {
  const size = 32 << 20;
  // As delivery sends: chunk by chunk, at the reader's pace.
  const chunks = Array.from({ length: size / 65_536 }, () => Buffer.alloc(65_536));
  const { url, server } = await start((_, response) => void Readable.from(chunks).pipe(response), {
    stalledReaderMs: 1_000,
  });
  const stalled = await dial(url);
  stalled.pause();
  const slow = await dial(url);
  let read = 0;
  slow.on('data', (chunk) => {
    read += chunk.length;
  });
  const request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  const both = new Promise<void>((resolve) => {
    let left = 2;
    server.on('request', (incoming) => incoming.socket.once('close', () => --left === 0 && resolve()));
  });
  stalled.write(request);
  slow.write(request);
  await once(slow, 'close');
  expect(read).toBeGreaterThanOrEqual(size);
  await both;
  stalled.destroy();
});

test('connections above the limit are closed at once, and those below it go on', async () => {
  const { url } = await start((_, response) => response.end('ok'), { maxConnections: 2 });
  const held = await Promise.all([dial(url), dial(url)]);
  const refused = await sendRaw(url, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n').catch(() => ({ status: 0 }));
  expect(refused.status).toBe(0);
  const [first, second] = held;
  first?.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const [data] = first === undefined ? [] : await once(first, 'data');
  expect(String(data)).toMatch(/^HTTP\/1\.1 200 /);
  second?.destroy();
});

test('a client that sends nothing at all is cut as one whose headers are slow', async () => {
  const listening = await start((_, response) => response.end());
  listening.server.headersTimeout = 100;
  const silent = await dial(listening.url);
  silent.resume();
  await once(silent, 'close');
});

test('the body of a request that is refused is not waited for', async () => {
  const { url } = await start((_, response) => response.writeHead(400, { connection: 'close' }).end());
  const answer = await sendRaw(url, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nslow');
  expect(answer.status).toBe(400);
});

test('clients that take parts of cold objects slowly keep nobody from a picture, nor its upload from the origin', async (context) => {
  const types = ['image/*'];
  await using canary = await startCanary([
    { prefix: '/media/', allow: { types }, network: { allowPrivate: true, connections: 8 } },
  ]);
  const { proxy, origin } = canary;
  const film = patternContent(100_000_000);
  const slow = await Promise.all(Array.from({ length: 20 }, () => dial(proxy.delivery)));
  for (const [index, socket] of slow.entries()) {
    origin.put(`/base/${index}.mp4`, film, { type: 'video/mp4' });
    socket.pause();
    socket.write(`GET /media/${index}.mp4 HTTP/1.1\r\nHost: a\r\nRange: bytes=1-\r\n\r\n`);
  }
  // Six of them are being answered, and the others wait.
  const answered = () => origin.requests.filter(({ headers }) => headers.range === 'bytes=1-').length;
  await vi.waitUntil(() => answered() >= 6, { timeout: 10_000 });

  for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) {
    origin.put(`/base/${name}`, lake);
    const answer = await getRaw(proxy.delivery, `/media/${name}`);
    expect(answer).toMatchObject({ status: 200, headers: { 'content-length': String(lake.length) } });
    await proxy.logged(({ event, asset }) => event === 'stored' && (asset as { path: string }).path === name);
  }
  expect(answered()).toBe(6);
  for (const socket of slow) socket.destroy();
  // Their turns go on to whoever comes.
  const part = await getRaw(proxy.delivery, '/media/0.mp4', 'Range: bytes=0-9');
  expect(part).toMatchObject({ status: 206, headers: { 'content-length': '10' } });
  countBadInputs(context, slow.length);
});
