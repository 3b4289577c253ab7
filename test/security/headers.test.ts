import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countBadInputs } from '../support/bad-inputs.ts';
import { type Canary, inParallel, startCanary } from '../support/canary.ts';
import { eventLoopLag } from '../support/event-loop.ts';
import { getRaw, type RawAnswer, sendRaw } from '../support/raw-http.ts';
import { type RecordingStore, startRecordingStore } from '../support/recording-store.ts';

/** Headers by which applications and frameworks are known to change an answer, and which no cache counts. */
const unkeyed = [
  ...[
    'Forwarded',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'X-Forwarded-Scheme',
    'X-Forwarded-Port',
    'X-Forwarded-For',
  ],
  ...['X-Forwarded-Server', 'X-Forwarded-Prefix', 'X-Forwarded-Path', 'X-Forwarded', 'X-Forwarded-By', 'X-Real-IP'],
  ...[
    'X-Host',
    'X-Original-Host',
    'X-HTTP-Host-Override',
    'X-Original-URL',
    'X-Rewrite-URL',
    'X-Original-URI',
    'X-URL',
  ],
  ...['X-HTTP-Method', 'X-HTTP-Method-Override', 'X-Method-Override', 'X-Proxy-URL', 'X-Wap-Profile', 'X-Arbitrary'],
  ...['X-HTTP-DestinationURL', 'Base-URL', 'Destination', 'Proxy-Host', 'Request-URI', 'Redirect', 'Referer', 'Origin'],
  ...['Cookie', 'Authorization', 'Proxy-Authorization', 'X-Api-Key', 'X-Auth-Token', 'X-Csrf-Token', 'X-User', 'From'],
  ...[
    'True-Client-IP',
    'CF-Connecting-IP',
    'Fastly-Client-IP',
    'X-Client-IP',
    'X-Cluster-Client-IP',
    'Client-IP',
    'Via',
  ],
  ...[
    'Accept-Language',
    'Accept-Charset',
    'Accept-Encoding',
    'User-Agent',
    'Sec-CH-UA',
    'Sec-CH-Width',
    'DPR',
    'Width',
  ],
  ...[
    'Viewport-Width',
    'Save-Data',
    'Cache-Control',
    'Pragma',
    'Max-Forwards',
    'TE',
    'Trailer',
    'Expect-CT',
    'Upgrade',
  ],
  ...[
    'X-Requested-With',
    'X-Middleware-Subrequest',
    'X-Middleware-Prefetch',
    'Next-Router-State-Tree',
    'RSC',
    'X-Now-Route-Matches',
  ],
  ...[
    'X-Invoke-Path',
    'X-Invoke-Status',
    'X-Matched-Path',
    'X-Nextjs-Data',
    'X-Pjax',
    'X-Amz-Website-Redirect-Location',
  ],
  ...['X-Amz-Server-Side-Encryption', 'X-Accel-Redirect', 'X-Sendfile', 'X-Lazyferry-Reason', 'Location', 'Set-Cookie'],
  ...['Content-Type', 'Content-Encoding', 'Content-Disposition', 'Surrogate-Capability', 'Surrogate-Control', 'Proxy'],
  ...['Prefer', 'Want-Digest', 'Signature', 'Traceparent', 'X-Request-Id', 'X-Correlation-Id', 'Front-End-Https', 'A'],
];

const photo = readFileSync(new URL('../../sample/media/photos/lake.jpg', import.meta.url));
const marker = 'canary-value-of-a-client';

let canary: Canary;
let store: RecordingStore;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lazyferry-headers-'));
  store = await startRecordingStore(folder);
  canary = await startCanary(
    [
      { prefix: '/cold/', allow: { types: ['video/*'] } },
      { prefix: '/redirect/' },
      { prefix: '/stream/', warm: 'stream' },
      { prefix: '/away/', cold: 'redirect', allow: { types: ['video/*'] } },
    ],
    { store: { uploadPrefix: store.url, deliveryPrefix: store.url } },
    { CLOUDINARY_URL: store.account },
  );
  canary.origin.put('/base/a.jpg', photo);
  for (const prefix of ['/redirect/', '/stream/']) {
    await getRaw(canary.proxy.delivery, `${prefix}a.jpg`);
    await stored(prefix, 'a.jpg');
  }
});

async function stored(prefix: string, file: string): Promise<void> {
  await canary.proxy.logged(({ event, asset }) => {
    const { mapping, path } = (asset ?? {}) as { mapping?: string; path?: string };
    return event === 'stored' && mapping === prefix && path === file;
  });
}

afterAll(async () => {
  await canary?.[Symbol.asyncDispose]();
  await store?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** All that a cache would keep, without what names this one answer and its time. */
function kept({ status, headers, text }: RawAnswer) {
  const { date: _, 'x-request-id': _id, 'server-timing': _timing, ...others } = headers;
  return { status, headers: others, body: text.slice(text.indexOf('\r\n\r\n')) };
}

describe.each([
  ['from the origin', '/cold/a.jpg', 200],
  ['redirected to the copy', '/redirect/a.jpg', 302],
  ['streamed from the copy', '/stream/a.jpg', 200],
  ['redirected to the origin', '/away/a.jpg', 302],
  ['missing', '/cold/nothing.jpg', 404],
  ['unmapped', '/nowhere/a.jpg', 404],
  ['refused', '/cold/../a.jpg', 400],
])('an answer %s', (_, target, status) => {
  test('is the same with and without each header that no cache counts', async (context) => {
    await getRaw(canary.proxy.delivery, target);
    const plain = kept(await getRaw(canary.proxy.delivery, target));
    expect(plain.status).toBe(status);
    const lines = unkeyed.flatMap((name) => [`${name}: ${marker}`, `${name}: evil.example`, `${name}: 127.0.0.1:1`]);
    await inParallel(lines, async (line) => {
      expect(kept(await getRaw(canary.proxy.delivery, target, line)), line).toEqual(plain);
    });
    countBadInputs(context, lines.length);
  });

  test('is the same whatever host is named', async (context) => {
    const hosts = ['evil.example', 'evil.example:80', '127.0.0.1:9090', 'localhost', canary.stranger, 'a"b', '[::1]'];
    const plain = kept(await getRaw(canary.proxy.delivery, target));
    for (const host of hosts) {
      const request = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      expect(kept(await sendRaw(canary.proxy.delivery, request)), host).toEqual(plain);
    }
    countBadInputs(context, hosts.length);
  });
});

describe.each(['/cold/a.jpg', '/redirect/a.jpg', '/stream/a.jpg', '/away/a.jpg', '/nowhere/a.jpg'])('%s', (target) => {
  test('fails for nobody else because of what one client sent beside the URL', async (context) => {
    const tricks = [
      ...['CDN-Loop: lazyferry', 'Host: b', 'Content-Length: 1', 'Transfer-Encoding: chunked', 'Expect: a-miracle'],
      ...['Range: bytes=999999999-', 'Range: bytes=5-2', 'Range: a', 'If-Range: "a"\r\nRange: bytes=999999999-'],
      ...['X: \0', 'X : a', 'X: a\n b: c', `X: ${'x'.repeat(17_000)}`, 'Content-Length: a', 'Upgrade: h2c'],
    ];
    const plain = await getRaw(canary.proxy.delivery, target);
    let refused = 0;
    for (const lines of tricks) {
      const answer = await getRaw(canary.proxy.delivery, target, lines);
      if (answer.status === plain.status || answer.status < 400) continue;
      expect(answer.headers['cache-control'], `${lines.slice(0, 40)}: ${answer.status}`).toBe('no-store');
      refused += 1;
    }
    expect(refused).toBeGreaterThan(5);
    countBadInputs(context, tricks.length);
  });
});

test.each(['/cold/../a.jpg', '/cold/%2e%2e/a.jpg', '/cold/..%5ca.jpg', '/cold/%00', `/cold/${'a'.repeat(9_000)}`])(
  'no cache that spells URLs otherwise keeps the refusal of %s',
  async (target) => {
    expect((await getRaw(canary.proxy.delivery, target)).headers['cache-control']).toBe('no-store');
  },
);

const fileNames = ['ü', '日本', 'č', 'x\u010d\u010aSet-Cookie: a=b', 'x\u560d\u560aLocation: //evil.example'];

describe.each(['/cold/', '/stream/'])('the name that the origin gives a file, below %s', (prefix) => {
  test.each(fileNames)('comes to the client byte by byte, and writes no header: %j', async (name) => {
    // A field value is bytes, here one character each.
    const disposition = Buffer.from(`inline; filename="${name}.jpg"`).toString('latin1');
    const file = `${fileNames.indexOf(name)}.jpg`;
    canary.origin.put(`/base/${file}`, photo, { headers: { 'content-disposition': disposition } });
    const first = await getRaw(canary.proxy.delivery, prefix + file);
    if (prefix === '/stream/') await stored(prefix, file);
    const conditions = ['A: b', 'Range: bytes=0-9', `If-None-Match: ${first.headers.etag}`];
    for (const condition of conditions) {
      const answer = await getRaw(canary.proxy.delivery, prefix + file, condition);
      expect(answer.headers['content-disposition'], condition).toBe(disposition);
      expect(Object.keys(answer.headers)).not.toEqual(expect.arrayContaining(['set-cookie']));
      expect(Object.keys(answer.headers)).not.toEqual(expect.arrayContaining(['location']));
    }
  });
});

test('neither Expect nor Connection opens a way for other headers', async (context) => {
  const secrets = [`Cookie: ${marker}`, `Authorization: Basic ${marker}`, `X-Api-Key: ${marker}`, 'TE: trailers'];
  const openers = [
    'Expect: 100-continue',
    'Expect: 100-Continue\r\nConnection: x-canary-value',
    'Connection: x-canary-value',
  ];
  const targets = ['/cold/a.jpg', '/redirect/a.jpg', '/stream/a.jpg'];
  const before = store.received.length;
  for (const target of targets) {
    for (const opener of openers) {
      const answer = await sendRaw(
        canary.proxy.delivery,
        `GET ${target} HTTP/1.1\r\nHost: a\r\n${opener}\r\n${secrets.join('\r\n')}\r\n\r\n`,
        // The end of the connection, whatever Connection said.
        'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      );
      expect([200, 302], `${target} ${opener}`).toContain(answer.statuses.find((status) => status !== 100));
    }
  }
  const ofStreams = store.received.slice(before);
  expect(ofStreams.length).toBeGreaterThanOrEqual(openers.length);
  for (const { host: _, ...headers } of ofStreams) {
    expect(['accept-encoding', 'connection']).toEqual(expect.arrayContaining(Object.keys(headers)));
    expect(headers).toMatchObject({ 'accept-encoding': 'identity', connection: 'keep-alive' });
  }
  countBadInputs(context, targets.length * openers.length);
});

test('nothing of a client’s reaches the origin or the store but range, conditions and, where it streams, what it accepts', () => {
  expect(canary.origin.requests.length).toBeGreaterThan(10);
  const known = ['accept', 'accept-encoding', 'cdn-loop', 'connection', 'host', 'user-agent', 'via', 'keep-alive'];
  const asked = ['range', 'if-range', 'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'];
  for (const { headers } of canary.origin.requests) {
    expect([...known, ...asked]).toEqual(expect.arrayContaining(Object.keys(headers)));
    expect(JSON.stringify(headers)).not.toMatch(/canary-value|evil\.example/);
    // The store, which reads remote URLs by itself, has a name of its own.
    if (headers['user-agent'] !== undefined) expect(headers['user-agent']).toMatch(/^lazyferry(?:-media-store$|\/)/);
    expect(headers['accept-encoding'], 'nothing is ever decompressed').toBe('identity');
  }
  const ofTheUpload = [
    'authorization',
    'content-length',
    'content-type',
    'content-range',
    'x-unique-upload-id',
    'transfer-encoding',
  ];
  for (const headers of store.received) {
    expect([...known, ...asked, ...ofTheUpload]).toEqual(expect.arrayContaining(Object.keys(headers)));
    const { 'user-agent': _, ...others } = headers;
    expect(JSON.stringify(others)).not.toMatch(/canary-value|evil\.example/);
  }
});

test('under all of these the event loop goes on', async () => {
  expect((await eventLoopLag(canary.proxy.admin)).p99, 'seconds').toBeLessThan(0.25);
});
