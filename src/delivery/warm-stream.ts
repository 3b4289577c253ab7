import { Agent as HttpAgent, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { pipeline } from 'node:stream';
import { createProxyServer } from 'http-proxy';
import type { OriginFacts } from '../asset/record.ts';
import { cacheStatus, publicHeaders, warmCacheControl } from './answer-headers.ts';

/** Client headers that mean something to the store's delivery. Nothing else of the client's is sent there. */
const sentToStore = [
  'range',
  'if-range',
  'if-none-match',
  'if-modified-since',
  'accept',
  'accept-encoding',
  'user-agent',
];

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
  /** Streams `location` to the client. With `origin`, what the origin said of the object is given back. */
  stream(
    request: IncomingMessage,
    response: ServerResponse,
    location: string,
    origin: OriginFacts,
  ): Promise<StreamOutcome>;
  close(): void;
}

/**
 * Streams stored copies through lazyferry by http-proxy (DESIGN.md, Dependencies: the maintained fork). It is used
 * for GET and HEAD without a body only, and answers nothing by itself: whether the client sees the store's answer or
 * falls back to the origin is decided when the head is there.
 */
export function createWarmStream(options: { readonly timeoutMs: number; readonly connections: number }): WarmStream {
  const agents = {
    'http:': new HttpAgent({ keepAlive: true, maxSockets: options.connections }),
    'https:': new HttpsAgent({ keepAlive: true, maxSockets: options.connections }),
  };
  const proxy = createProxyServer({ changeOrigin: true, ignorePath: true, selfHandleResponse: true });
  const waiting = new WeakMap<
    IncomingMessage,
    { readonly settle: (outcome: StreamOutcome) => void; readonly origin: OriginFacts }
  >();

  proxy.on('proxyReq', (upstream, request) => {
    for (const name of upstream.getHeaderNames()) {
      if (name !== 'host' && name !== 'connection' && !sentToStore.includes(name)) upstream.removeHeader(name);
    }
    upstream.setHeader('accept-encoding', 'identity');
    request.socket.setNoDelay(true);
  });
  proxy.on('proxyRes', (upstream, request, response) => {
    const wait = waiting.get(request);
    const status = upstream.statusCode ?? 502;
    if (status === 404 || status === 410 || ![200, 206, 304, 416].includes(status)) {
      upstream.resume();
      wait?.settle(status === 404 || status === 410 ? 'lost' : 'unavailable');
      return;
    }
    response.writeHead(status, warmHeaders(upstream, wait?.origin ?? {}));
    wait?.settle('answered');
    // A failure after the head destroys the response: it must not look complete (invariant 9).
    pipeline(upstream, response, () => {});
  });
  proxy.on('error', (_error, request, response) => {
    if (request !== undefined) waiting.get(request)?.settle('unavailable');
    if (response !== undefined && 'headersSent' in response && response.headersSent) response.destroy();
  });

  return {
    stream: (request, response, location, origin) =>
      new Promise((settle) => {
        waiting.set(request, { settle, origin });
        const agent = location.startsWith('https:') ? agents['https:'] : agents['http:'];
        void proxy
          .web(request, response, { target: location, agent, proxyTimeout: options.timeoutMs })
          .catch(() => settle('unavailable'));
      }),
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

function warmHeaders(upstream: IncomingMessage, origin: OriginFacts): Record<string, string> {
  const headers: Record<string, string> = {
    ...publicHeaders,
    'cache-control': warmCacheControl,
    'cache-status': cacheStatus(),
  };
  for (const name of takenFromStore) {
    const value = upstream.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  if (origin.contentDisposition !== undefined) headers['content-disposition'] = origin.contentDisposition;
  if (origin.contentLanguage !== undefined) headers['content-language'] = origin.contentLanguage;
  return headers;
}
