import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countBadInputs } from '../support/bad-inputs.ts';
import { type Canary, inParallel, startCanary } from '../support/canary.ts';
import { dial, getRaw, readAnswer, sendRaw } from '../support/raw-http.ts';

let canary: Canary;

beforeAll(async () => {
  canary = await startCanary([{ prefix: '/images/', folder: 'site/images' }]);
  canary.origin.put('/base/a.jpg', Buffer.alloc(20_000, 0xff));
});

afterAll(async () => {
  await canary?.[Symbol.asyncDispose]();
});

/** What is hidden behind another request's head, in whichever reading of its framing. */
const smuggled = 'GET /images/smuggled.jpg HTTP/1.1\r\nHost: a\r\n\r\n';
const chunked = `0\r\n\r\n${smuggled}`;
const size = smuggled.length;

/** What the attack is called, the header lines that make it, and what follows the head. */
const framings: readonly (readonly [name: string, lines: string, rest: string])[] = [
  ['CL.TE', 'Content-Length: 6\r\nTransfer-Encoding: chunked', chunked],
  ['TE.CL', 'Transfer-Encoding: chunked\r\nContent-Length: 4', `${size.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`],
  ['TE.TE', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: x', chunked],
  ['an unknown coding', 'Transfer-Encoding: xchunked', chunked],
  ['a coding behind chunked', 'Transfer-Encoding: chunked, identity', chunked],
  ['a coding in odd space', 'Transfer-Encoding:\x0bchunked', chunked],
  ['a space before the colon', 'Transfer-Encoding : chunked', chunked],
  ['a folded coding', 'Transfer-Encoding:\r\n chunked', chunked],
  ['a bare line feed', 'X: a\nTransfer-Encoding: chunked', chunked],
  ['a bare carriage return', 'X: a\rTransfer-Encoding: chunked', chunked],
  ['two lengths', `Content-Length: 0\r\ncontent-length: ${size}`, smuggled],
  ['a list of lengths', `Content-Length: 0, ${size}`, smuggled],
  ['a signed length', `Content-Length: +${size}`, smuggled],
  ['a negative length', 'Content-Length: -1', smuggled],
  ['a hexadecimal length', `Content-Length: 0x${size.toString(16)}`, smuggled],
  ['an immense length', 'Content-Length: 99999999999999999999', smuggled],
  ['an honest body', `Content-Length: ${size}`, smuggled],
  ['a request behind an honest body', 'Content-Length: 1', `x${smuggled}`],
  ['an honest chunk', 'Transfer-Encoding: chunked', `${size.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`],
  ['a chunk extension', 'Transfer-Encoding: chunked', `0;a=${'b'.repeat(20_000)}\r\n\r\n${smuggled}`],
  ['a chunk extension that a bare line feed ends', 'Transfer-Encoding: chunked', `0;a\n\r\n${smuggled}`],
  ['a last chunk that bare line feeds end', 'Transfer-Encoding: chunked', `0\n\n${smuggled}`],
  ['trailers', 'Transfer-Encoding: chunked\r\nTrailer: X', `0\r\nX: a\r\n\r\n${smuggled}`],
  ['a quoted coding', 'Transfer-Encoding: "chunked"', chunked],
  ['a chunk size that wraps', 'Transfer-Encoding: chunked', `10000000000000000\r\n\r\n${smuggled}`],
  ['a chunk size that is none', 'Transfer-Encoding: chunked', `0x0\r\n\r\n${smuggled}`],
  ['a folded header', `X: b\r\n Content-Length: ${size}`, smuggled],
  ['an upgrade with a body', `Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: ${size}`, smuggled],
];

const smuggling = ['GET', 'HEAD', 'OPTIONS', 'POST', 'DELETE'].flatMap((method) =>
  ['1.1', '1.0'].flatMap((version) =>
    framings.map(([name, lines, rest]) => ({
      name: `${method} in HTTP/${version}: ${name}`,
      text: `${method} /images/a.jpg HTTP/${version}\r\nHost: a\r\n${lines}\r\n\r\n${rest}`,
    })),
  ),
);

test('a request within a request’s body is never answered, whoever reads the framing how', async (context) => {
  await inParallel(smuggling, async ({ name, text }) => {
    const answer = await sendRaw(canary.proxy.delivery, text);
    expect(answer.statuses.length, name).toBe(1);
    expect([400, 405, 413, 431], name).toContain(answer.status);
  });
  // Refused ahead of any look at the origin, so nobody there can be led astray either.
  expect(canary.origin.requests).toEqual([]);
  // Nor is it done unseen: nothing but refusals was counted.
  const metrics = await (await fetch(`${canary.proxy.admin}/metrics`)).text();
  const outcomes = [...metrics.matchAll(/^lazyferry_requests_total\{.*outcome="([^"]+)"/gm)].map(
    ([, outcome]) => outcome,
  );
  expect(new Set(outcomes)).toEqual(new Set(['refused']));
  countBadInputs(context, smuggling.length);
});

const malformed: readonly (readonly [string, string, readonly number[]])[] = [
  ['bare line feeds', 'GET /images/a.jpg HTTP/1.1\nHost: a\n\n', [400]],
  ['a bare line feed behind the head', 'GET /images/a.jpg HTTP/1.1\r\nHost: a\r\n\n', [400]],
  ['bare carriage returns', 'GET /images/a.jpg HTTP/1.1\rHost: a\r\r', [400]],
  ['a header line that goes on', 'GET /images/a.jpg HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n', [400]],
  ['no Host', 'GET /images/a.jpg HTTP/1.1\r\n\r\n', [400]],
  ['two Hosts', 'GET /images/a.jpg HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', [400]],
  ['two Hosts that agree', 'GET /images/a.jpg HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n', [400]],
  ['absolute form', 'GET http://evil.example/images/a.jpg HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', [400]],
  ['authority form', 'GET evil.example:80 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', [400]],
  ['asterisk form', 'GET * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', [400]],
  ['CONNECT', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: a\r\n\r\n', [405]],
  ['TRACE', 'TRACE /images/a.jpg HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', [405]],
  ['PURGE', 'PURGE /images/a.jpg HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', [405]],
  ['PUT', 'PUT /images/a.jpg HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx', [405]],
  ['an unknown method', 'FOO /images/a.jpg HTTP/1.1\r\nHost: a\r\n\r\n', [400]],
  ['a method in lower case', 'get /images/a.jpg HTTP/1.1\r\nHost: a\r\n\r\n', [400]],
  ['HTTP/0.9', 'GET /images/a.jpg\r\n\r\n', [505]],
  ['HTTP/2 in clear text', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
  ['HTTP/3.0 as a version', 'GET /images/a.jpg HTTP/3.0\r\nHost: a\r\n\r\n', [400]],
  ['a TLS hello', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', [400]],
  ['NUL in the target', 'GET /images/\0a.jpg HTTP/1.1\r\nHost: a\r\n\r\n', [400]],
  ['NUL in a header', 'GET /images/a.jpg HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n', [400]],
  ['a space in the target', 'GET /images/a b.jpg HTTP/1.1\r\nHost: a\r\n\r\n', [400]],
  ['a header without a name', 'GET /images/a.jpg HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n', [400]],
  ['a header without a colon', 'GET /images/a.jpg HTTP/1.1\r\nHost: a\r\nb\r\n\r\n', [400]],
  [
    'a loop',
    'GET /images/a.jpg HTTP/1.1\r\nHost: a\r\nCDN-Loop: fastly, lazyferry\r\nConnection: close\r\n\r\n',
    [508],
  ],
  ['17 kB of one header', `GET /images/a.jpg HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`, [431]],
  ['3,000 headers', `GET /images/a.jpg HTTP/1.1\r\nHost: a\r\n${'X: 1234\r\n'.repeat(3_000)}\r\n`, [431]],
  ['17 kB of target', `GET /images/${'a'.repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, [414, 431]],
];

test.for(malformed)('%s is refused, and the origin hears nothing of it', async ([, text, statuses], context) => {
  const before = canary.origin.requests.length;
  const answer = await sendRaw(canary.proxy.delivery, text);
  expect(statuses).toContain(answer.status);
  expect(answer.statuses).toHaveLength(1);
  expect(canary.origin.requests.length).toBe(before);
  countBadInputs(context, 1);
});

test('OPTIONS * says what there is, and asks nobody', async () => {
  const before = canary.origin.requests.length;
  const answer = await sendRaw(canary.proxy.delivery, 'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(answer).toMatchObject({ status: 204, headers: { allow: 'GET, HEAD, OPTIONS' } });
  expect(canary.origin.requests.length).toBe(before);
});

test('an upgrade is not taken: the request is answered as what it is', async () => {
  const lines = ['Connection: close, Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='];
  const answer = await getRaw(canary.proxy.delivery, '/images/a.jpg', ...lines);
  expect([200, 302]).toContain(answer.status);
  expect(answer.headers.upgrade).toBeUndefined();
});

describe('a range', () => {
  const whole = 20_000;
  const bombs = [
    ...[`bytes=${'0-,'.repeat(1_000)}0-`, `bytes=${'0-1,'.repeat(2_000)}5-6`, 'bytes=0-0,1-1,2-2', 'bytes=5-2'],
    ...['bytes=-0', `bytes=${2n ** 63n}-`, `bytes=0-${2n ** 64n}`, 'bytes=99999-', 'lines=1-2', 'bytes=', 'bytes=a-b'],
    ...['bytes=--1', 'bytes=0x0-0xff', 'bytes=1e1-', 'bytes=0-,-1', 'bytes 0-1', 'bytes=0-1;bytes=2-3', 'bytes=+1-2'],
  ];

  test('is answered with what is there at most once, however many it asks for', async (context) => {
    canary.origin.put('/base/range.jpg', Buffer.alloc(whole, 0xff));
    await inParallel(bombs, async (range) => {
      const answer = await getRaw(canary.proxy.delivery, '/images/range.jpg', `Range: ${range}`);
      expect([200, 206, 302, 400, 416], range.slice(0, 40)).toContain(answer.status);
      expect(answer.text.length, range.slice(0, 40)).toBeLessThan(whole + 2_000);
    });
    countBadInputs(context, bombs.length);
  });
});

test('two requests at once on one connection are answered one after the other, each with its own answer', async () => {
  const socket = await dial(canary.proxy.delivery);
  const closed = once(socket, 'close');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  const close = 'Connection: close\r\n';
  socket.write('GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\nTRACE /images/a.jpg HTTP/1.1\r\nHost: a\r\n\r\n');
  socket.write(`OPTIONS * HTTP/1.1\r\nHost: a\r\n${close}\r\n`);
  await closed;
  expect(readAnswer(text).statuses).toEqual([404, 405, 204]);
});
