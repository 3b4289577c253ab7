import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import fresh from 'fresh';
import { createProxyServer } from 'http-proxy';
import type { OriginFacts } from '../asset/record.ts';
import { dispositionFirst } from '../http/headers.ts';
import { byteRangeOf, rangeField } from '../http/range.ts';
import { cacheStatus, cacheTags, publicHeaders, sandbox } from './answer-headers.ts';
import { type CutAnswer, sendBody } from './cut-answer.ts';
import type { Exchange } from './exchange.ts';
import { keptByNobody } from './refuse.ts';

/** Client headers that mean something to the store's delivery, beside a range. Nothing else of the client's is sent there. */
const sentToStore = ['accept', 'user-agent'];
/** These too where the client holds the store's validators and not the origin's. */
const conditions = ['if-range', 'if-none-match', 'if-modified-since'];

/** Store headers that describe the bytes. Everything else (its cookies, cache rules, diagnostics) stays behind. */
const takenFromStore = [
  'content-type',
  'content-length',
  'content-range',
  'content-encoding',
  'accept-ranges',
  'etag',
  'last-modified',
  'vary',
];

export type StreamOutcome =
  /** The answer has been sent or is being sent. */
  | 'answered'
  /** The store has no such copy. Nothing was sent. */
  | 'lost'
  /** The store did not give an answer that a client could use. Nothing was sent. */
  | 'unavailable';

export interface WarmStream {
  /**
   * Streams the copy at `location` to the client. With `origin`, the original is streamed and the origin's metadata
   * given back; without, a transformed copy with the store's.
   */
  stream(exchange: Exchange, location: string, origin: OriginFacts | undefined): Promise<StreamOutcome>;
  close(): void;
}

interface Streaming {
  readonly exchange: Exchange;
  readonly origin: OriginFacts | undefined;
  readonly settle: (outcome: StreamOutcome) => void;
}

/**
 * Streams stored copies through lazyferry by http-proxy (DESIGN.md, Dependencies: the maintained fork). It is used
 * for GET and HEAD without a body only, and answers nothing by itself: whether the client sees the store's answer or
 * falls back to the origin is decided when the head is there.
 */
export function createWarmStream(options: {
  readonly timeoutMs: number;
  readonly connections: number;
  readonly cut: CutAnswer;
}): WarmStream {
  const agents = {
    'http:': new HttpAgent({ keepAlive: true, maxSockets: options.connections }),
    'https:': new HttpsAgent({ keepAlive: true, maxSockets: options.connections }),
  };
  const proxy = createProxyServer({ changeOrigin: true, ignorePath: true, selfHandleResponse: true });
  const streams = new WeakMap<IncomingMessage, Streaming>();

  proxy.on('proxyRes', (upstream, request, response) => {
    const streaming = streams.get(request);
    const status = upstream.statusCode ?? 502;
    if (streaming === undefined || ![200, 206, 304, 416].includes(status)) {
      upstream.resume();
      streaming?.settle(status === 404 || status === 410 ? 'lost' : 'unavailable');
      return;
    }
    streaming.exchange.headAt = performance.now();
    if (status === 416) {
      upstream.resume();
      response.writeHead(416, outOfRange(upstream, streaming.exchange));
      response.end();
      streaming.settle('answered');
      return;
    }
    response.writeHead(status, dispositionFirst(warmHeaders(upstream, streaming)));
    streaming.settle('answered');
    void sendBody(streaming.exchange, upstream, options.cut);
  });
  proxy.on('error', (_error, request, response) => {
    if (request !== undefined) streams.get(request)?.settle('unavailable');
    if (response !== undefined && 'headersSent' in response && response.headersSent) response.destroy();
  });

  return {
    stream: (exchange, location, origin) =>
      new Promise((settle) => {
        const { request, response } = exchange;
        const streaming = { exchange, origin, settle };
        if (
          origin !== undefined &&
          fresh(request.headers, { etag: origin.etag, 'last-modified': origin.lastModified })
        ) {
          exchange.headAt = performance.now();
          response.writeHead(304, describedBy(streaming));
          response.end();
          settle('answered');
          return;
        }
        streams.set(request, streaming);
        const agent = location.startsWith('https:') ? agents['https:'] : agents['http:'];
        const ofClient = request.headers;
        // http-proxy copies the headers before it returns. Its own hook for changing them, `proxyReq`, stays silent where
        // the client sends `Expect`, and would then let all of them through.
        request.headers = headersForStore(request, origin);
        proxy
          .web(request, response, { target: location, agent, proxyTimeout: options.timeoutMs })
          .catch(() => settle('unavailable'));
        request.headers = ofClient;
      }),
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** What the store is asked with: made anew, so that nothing of the client's goes there but what is named above. */
function headersForStore(request: IncomingMessage, origin: OriginFacts | undefined): IncomingHttpHeaders {
  const sent = origin === undefined ? [...sentToStore, ...conditions] : sentToStore;
  const given = sent.flatMap((name) => (request.headers[name] === undefined ? [] : [[name, request.headers[name]]]));
  const outdated = origin !== undefined && !mayHaveRange(request, origin);
  const range = outdated ? undefined : byteRangeOf(request);
  return {
    ...Object.fromEntries(given),
    ...(range === undefined ? {} : { range: rangeField(range) }),
    'accept-encoding': 'identity',
  };
}

/** Whether the client's part is one of the version that we have (RFC 9110 §13.1.5): a strong ETag, or the exact date. */
function mayHaveRange({ headers }: IncomingMessage, origin: OriginFacts): boolean {
  const condition = headers['if-range'];
  if (condition === undefined) return true;
  if (typeof condition !== 'string') return false;
  return condition.startsWith('"') ? condition === origin.etag : condition === origin.lastModified;
}

function warmHeaders(upstream: IncomingMessage, streaming: Streaming): Record<string, string> {
  const taken: Record<string, string> = {};
  for (const name of takenFromStore) {
    const value = upstream.headers[name];
    if (typeof value === 'string') taken[name] = value;
  }
  const headers: Record<string, string> = { ...taken, ...describedBy(streaming) };
  return { ...sandbox(headers['content-type']), ...headers };
}

/** A range that the copy does not have: what the store says of it beside the size is a page of its own. */
function outOfRange(upstream: IncomingMessage, { mapping, id }: Exchange): Record<string, string> {
  const range = upstream.headers['content-range'];
  return {
    ...publicHeaders,
    ...cacheTags(mapping, id),
    ...keptByNobody,
    'cache-status': cacheStatus(),
    ...(range === undefined ? {} : { 'content-range': range }),
    'content-length': '0',
  };
}

/** What does not depend on the store's answer. */
function describedBy({ exchange, origin = {} }: Streaming): Record<string, string> {
  const given: Readonly<Record<string, string | undefined>> = {
    'content-type': origin.contentType,
    'content-disposition': origin.contentDisposition,
    'content-language': origin.contentLanguage,
    etag: origin.etag,
    'last-modified': origin.lastModified,
    'cache-control': origin.cacheControl ?? exchange.mapping.cache.warm,
  };
  return {
    ...publicHeaders,
    ...cacheTags(exchange.mapping, exchange.id),
    'cache-status': cacheStatus(),
    ...Object.fromEntries(
      Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
  };
}
