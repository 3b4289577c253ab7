import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeAssetKey } from '../../../src/asset/key.ts';
import type { OriginFacts } from '../../../src/asset/record.ts';
import { assetKeyOf, assetOf } from '../../../src/delivery/asset-of.ts';
import { createWarmStream, type StreamOutcome, type WarmStream } from '../../../src/delivery/warm-stream.ts';
import { mappingOf } from '../../support/mapping.ts';

const bytes = Buffer.from('0123456789');
const mapping = mappingOf({ prefix: '/img/', origin: 'https://old.example/' });
const asset = assetOf(mapping, assetKeyOf(mapping, '/img/a.jpg', ''));

let warm: WarmStream;
let store: Server;
let front: Server;
let answerOfStore: RequestListener;
let origin: OriginFacts | undefined;
let outcomes: StreamOutcome[];
/** Why answers broke off, as far as it was not the client's doing. */
let cuts: Error[];

beforeEach(async () => {
  cuts = [];
  warm = createWarmStream({ timeoutMs: 5_000, connections: 4, cut: (_, error) => cuts.push(error) });
  outcomes = [];
  origin = undefined;
  answerOfStore = (incoming, response) => {
    const range = /^bytes=(\d+)-(\d+)$/.exec(incoming.headers.range ?? '');
    const part = range === null ? bytes : bytes.subarray(Number(range[1]), Number(range[2]) + 1);
    response.writeHead(range === null ? 200 : 206, {
      'content-type': 'image/jpeg',
      'content-length': part.length,
      etag: '"of-the-store"',
      'set-cookie': 'store=1',
      'x-cld-error': 'none',
      ...(range === null ? {} : { 'content-range': `bytes ${range[1]}-${range[2]}/${bytes.length}` }),
    });
    response.end(incoming.method === 'HEAD' ? undefined : part);
  };
  store = await listening((incoming, response) => answerOfStore(incoming, response));
  const location = `${urlOf(store)}/copy.jpg`;
  front = await listening((incoming, response) => {
    const exchange = {
      request: incoming,
      response,
      mapping,
      asset,
      id: encodeAssetKey(asset.key),
      transformation: '',
      format: undefined,
      unsigned: false,
      requestId: 'r-1',
      startedAt: 0,
    };
    warm.stream(exchange, location, origin).then((outcome) => {
      outcomes.push(outcome);
      if (outcome !== 'answered') response.writeHead(599).end();
    });
  });
});

afterEach(() => {
  warm.close();
  for (const server of [front, store]) {
    server.close();
    server.closeAllConnections();
  }
});

async function listening(handler: RequestListener): Promise<Server> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function get(headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') {
  const answer = await request(urlOf(front), { headers, method });
  return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
}

describe('a streamed copy', () => {
  test('comes with what describes it, and with nothing else of the store’s', async () => {
    const { status, headers, body } = await get();
    expect({ status, body }).toEqual({ status: 200, body: bytes.toString() });
    expect(headers).toMatchObject({ etag: '"of-the-store"', 'cache-status': 'lazyferry; hit', via: '1.1 lazyferry' });
    expect(headers).not.toHaveProperty('set-cookie');
    expect(headers).not.toHaveProperty('x-cld-error');
  });

  test('comes with the origin’s metadata where it is known', async () => {
    origin = {
      contentType: 'image/pjpeg',
      contentDisposition: 'inline; filename="a.jpg"',
      contentLanguage: 'de',
      etag: '"of-the-origin"',
      lastModified: 'Sat, 01 Aug 2026 10:00:00 GMT',
      cacheControl: 'public, max-age=31536000',
    };
    expect((await get()).headers).toMatchObject({
      'content-type': 'image/pjpeg',
      'content-disposition': 'inline; filename="a.jpg"',
      'content-language': 'de',
      etag: '"of-the-origin"',
      'last-modified': 'Sat, 01 Aug 2026 10:00:00 GMT',
      'cache-control': 'public, max-age=31536000',
    });
  });

  test('is a 304 for a client that has the origin’s version, without a look at the store', async () => {
    origin = { etag: '"of-the-origin"' };
    answerOfStore = (_, response) => response.writeHead(500).end();
    const { status, headers } = await get({ 'if-none-match': '"of-the-origin"' });
    expect(status).toBe(304);
    expect(headers.etag).toBe('"of-the-origin"');
  });

  test('comes in part where If-Range names the version there is, else whole', async () => {
    origin = { etag: '"of-the-origin"' };
    const part = await get({ range: 'bytes=2-4', 'if-range': '"of-the-origin"' });
    expect(part).toMatchObject({ status: 206, body: '234', headers: { 'content-range': 'bytes 2-4/10' } });
    const whole = await get({ range: 'bytes=2-4', 'if-range': '"an-older-one"' });
    expect(whole).toMatchObject({ status: 200, body: bytes.toString() });
  });

  test('has no page of the store’s for a range that it does not have', async () => {
    origin = { contentType: 'image/jpeg', etag: '"of-the-origin"' };
    answerOfStore = (_, response) =>
      response
        .writeHead(416, { 'content-range': 'bytes */10', 'content-type': 'text/html' })
        .end('<script>no such range</script>');
    const { status, headers, body } = await get({ range: 'bytes=10-' });
    expect({ status, body }).toEqual({ status: 416, body: '' });
    expect(headers).toMatchObject({ 'content-range': 'bytes */10', 'cache-control': 'no-store' });
    expect(headers).not.toHaveProperty('content-type');
    expect(headers).not.toHaveProperty('etag');
  });

  test('answers HEAD without a body', async () => {
    const { status, headers, body } = await get({}, 'HEAD');
    expect({ status, body, length: headers['content-length'] }).toEqual({ status: 200, body: '', length: '10' });
  });

  test('takes nothing of the client’s to the store but what the store needs', async () => {
    const seen = Promise.withResolvers<readonly string[]>();
    const answer = answerOfStore;
    answerOfStore = (incoming, response) => {
      seen.resolve(Object.keys(incoming.headers));
      answer(incoming, response);
    };
    await get({ cookie: 'session=1', authorization: 'Bearer x', 'x-forwarded-for': '1.2.3.4', accept: 'image/avif' });
    expect((await seen.promise).toSorted()).toEqual(['accept', 'accept-encoding', 'connection', 'host']);
  });
});

describe('nothing is sent to the client, so that the origin can answer,', () => {
  test.each([404, 410])('when the store has lost the copy (%i)', async (status) => {
    answerOfStore = (_, response) => response.writeHead(status, { 'content-type': 'image/gif' }).end('GIF89a');
    expect((await get()).status).toBe(599);
    expect(outcomes).toEqual(['lost']);
  });

  test.each([401, 423, 500, 503])('when the store answers %i', async (status) => {
    answerOfStore = (_, response) => response.writeHead(status).end();
    expect((await get()).status).toBe(599);
    expect(outcomes).toEqual(['unavailable']);
  });

  test('when the store cannot be reached', async () => {
    store.close();
    store.closeAllConnections();
    expect((await get()).status).toBe(599);
    expect(outcomes).toEqual(['unavailable']);
  });
});

test('a store that breaks off in mid-body destroys the answer: it never looks whole', async () => {
  answerOfStore = (_, response) => {
    response.writeHead(200, { 'content-length': '10' });
    response.write('01234', () => response.destroy());
  };
  await expect(get()).rejects.toThrow();
  expect(cuts).toMatchObject([{ code: 'ECONNRESET' }]);
});

test('a client that leaves ends the transfer from the store too (http-proxy 1.18.1 leaves it open)', async () => {
  const closed = Promise.withResolvers<void>();
  answerOfStore = (_, response) => {
    response.writeHead(200, { 'content-length': '1000000' });
    response.write('0123456789');
    response.once('close', closed.resolve);
  };
  const { port } = front.address() as AddressInfo;
  const client = connect(port, '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(client, 'data');
  client.destroy();
  await closed.promise;
  expect(cuts).toEqual([]);
});
