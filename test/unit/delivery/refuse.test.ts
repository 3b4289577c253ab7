import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { answerProblem } from '../../../src/delivery/problem.ts';
import { refuseRequest } from '../../../src/delivery/refuse.ts';

const server = createServer((request, response) => {
  const refusal = refuseRequest(request);
  if (refusal === undefined) response.end('taken');
  else answerProblem(request, response, refusal);
});

beforeEach(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

test.each([
  ['GET', 'GET / HTTP/1.1\r\nHost: a\r\n', 200],
  ['HEAD', 'HEAD / HTTP/1.1\r\nHost: a\r\n', 200],
  ['POST', 'POST / HTTP/1.1\r\nHost: a\r\n', 405],
  ['DELETE with chunks', 'DELETE / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n', 405],
  ['TRACE', 'TRACE / HTTP/1.1\r\nHost: a\r\n', 405],
  ['GET with a body', 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n', 400],
  ['GET with chunks', 'GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n', 400],
  ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n', 400],
  ['a request that was here before', 'GET / HTTP/1.1\r\nHost: a\r\nCDN-Loop: other, lazyferry; v=1\r\n', 508],
  ['a request that passed others', 'GET / HTTP/1.1\r\nHost: a\r\nCDN-Loop: other, notlazyferry\r\n', 200],
])('%s is answered as it should be', async (_, head, status) => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(`${head}\r\n`);
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  socket.destroy();
});
