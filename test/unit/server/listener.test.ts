import { once } from 'node:events';
import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type Listener, listen } from '../../../src/server/listener.ts';

let listener: Listener | undefined;

afterEach(async () => {
  await listener?.close(0);
  listener = undefined;
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function start(handler: Handler = (_, response) => response.end('ok')): Promise<Listener> {
  listener = await listen(handler, { host: '127.0.0.1', port: 0 }, { maxConnections: 1_000 });
  return listener;
}

async function dial({ url }: Listener): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

async function answerTo(listening: Listener, text: string): Promise<string> {
  const socket = await dial(listening);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.write(text, 'latin1');
  await once(socket, 'close');
  return answer;
}

test('the limits of a server on the open internet are set', async () => {
  const { server } = await start();
  expect(server.headersTimeout).toBe(10_000);
  expect(server.requestTimeout).toBe(30_000);
  // Longer than the 60 s that CDNs and load balancers keep a connection.
  expect(server.keepAliveTimeout).toBe(65_000);
  expect(server.maxRequestsPerSocket).toBe(10_000);
});

test('a client that sends its headers too slowly is answered 408 and cut', async () => {
  const listening = await start();
  listening.server.headersTimeout = 100;
  expect(await answerTo(listening, 'GET /images/a.jpg HTTP/1.1\r\nHost: a\r\n')).toMatch(/^(HTTP\/1.1 408 |$)/);
});

test.each([
  ['no HTTP at all', 'hello\r\n\r\n'],
  ['a request without Host', 'GET / HTTP/1.1\r\n\r\n'],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['a space before the colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'],
  ['NUL in a header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n'],
  ['a folded header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n'],
])('%s is answered 400 and cut', async (_, text) => {
  const listening = await start((_request, response) => response.end('reached the handler'));
  const answer = await answerTo(listening, text);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).not.toContain('reached');
});

test('headers of more than 16 kB are answered 431 and cut', async () => {
  const listening = await start();
  const text = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`;
  expect(await answerTo(listening, text)).toMatch(/^HTTP\/1\.1 431 /);
});

test('a broken request behind a good one is cut, so that nobody takes two answers for one', async () => {
  const listening = await start();
  const answer = await answerTo(listening, 'GET / HTTP/1.1\r\nHost: a\r\n\r\nbroken\r\n\r\n');
  expect(answer.match(/HTTP\/1\.1/g)?.length ?? 0).toBeLessThanOrEqual(1);
});

test('an address that is taken rejects', async () => {
  const { url } = await start();
  await expect(
    listen(() => {}, { host: '127.0.0.1', port: Number(new URL(url).port) }, { maxConnections: 1_000 }),
  ).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
});

test('closing lets the answer under way finish, then closes its kept-alive connection at once', async () => {
  const asked = Promise.withResolvers<ServerResponse>();
  const listening = await start((_, response) => asked.resolve(response));
  const agent = new Agent({ keepAlive: true });
  const client = request(`${listening.url}/`, { agent });
  const answered = once(client, 'response');
  client.end();
  const response = await asked.promise;
  const closed = listening.close(60_000);
  response.end('whole');
  const [answer] = (await answered) as [IncomingMessage];
  let body = '';
  for await (const chunk of answer) body += chunk;
  expect(body).toBe('whole');
  await closed;
  agent.destroy();
});

test('closing lets resting connections go at once', async () => {
  const listening = await start();
  const agent = new Agent({ keepAlive: true });
  const client = request(`${listening.url}/`, { agent }).end();
  const [answer] = (await once(client, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  await listening.close(60_000);
  agent.destroy();
});

test('closing cuts what is not finished when the time is over', async () => {
  const listening = await start(() => {});
  const socket = await dial(listening);
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(listening.server, 'request');
  const closed = once(socket, 'close');
  await listening.close(10);
  await closed;
});

test.each([
  ['a refused body', 'POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx'],
  ['a request that is the last by its own word', 'GET /kept HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
  ['HTTP/1.0', 'GET /kept HTTP/1.0\r\nHost: a\r\n\r\n'],
])('what comes behind %s on its connection is not done', async (_, first) => {
  const done: unknown[] = [];
  const listening = await start(({ url }, response) => {
    done.push(url);
    response.setHeader('x', 'y');
    if (url === '/refused') response.writeHead(405, { connection: 'close' });
    response.end();
  });
  const answer = await answerTo(listening, `${first}GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n`);
  expect(answer.match(/^HTTP/gm)).toHaveLength(1);
  expect(done).toHaveLength(1);
});

test('a process that leaves does not do what comes behind the answer that said so', async () => {
  const done: unknown[] = [];
  const listening = await start(({ url }, response) => {
    done.push(url);
    response.end();
  });
  listening.leave();
  await answerTo(listening, 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
  expect(done).toHaveLength(1);
});
