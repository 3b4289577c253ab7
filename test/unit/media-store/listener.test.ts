import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { Listener } from '../../../src/media-store/listener.ts';
import { dial } from '../../support/raw-http.ts';

async function start(answer: RequestListener, limits: ConstructorParameters<typeof Listener>[1]): Promise<string> {
  const listener = new Listener(answer, limits);
  await listener.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => listener.close());
  return listener.url;
}

test('connections beyond the limit are closed at once, and the others answered', async () => {
  const url = await start((_, response) => response.end('ok'), { mostConnections: 2 });
  const [first] = await Promise.all([dial(url), dial(url)]);
  const third = await dial(url);
  await once(third.resume(), 'close');
  first?.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const [answer] = await once(first ?? third, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /);
});

test('a client that does not read its answer is cut; one that reads gets it all', async () => {
  const chunks = Array.from({ length: 128 }, () => Buffer.alloc(65_536));
  const size = chunks.length * 65_536;
  const closed: Promise<unknown>[] = [];
  const url = await start(
    (incoming, response) => {
      closed.push(once(incoming.socket, 'close'));
      Readable.from(chunks).pipe(response);
    },
    { stalledReader: 500 },
  );
  const request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  const stalled = await dial(url);
  stalled.pause().write(request);
  const reading = await dial(url);
  const received = bytesOf(reading);
  reading.write(request);
  expect(await received).toBeGreaterThan(size);
  await Promise.all(closed);
  expect(await bytesOf(stalled.resume())).toBeLessThan(size);
});

async function bytesOf(socket: Socket): Promise<number> {
  let bytes = 0;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
  });
  await once(socket, 'close');
  return bytes;
}
