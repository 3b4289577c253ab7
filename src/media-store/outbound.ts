import type { Readable } from 'node:stream';
import { type Dispatcher, request } from 'undici';
import { createGuardedDispatcher } from '../origin/guarded-dispatcher.ts';

interface OutboundRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

interface OutboundResponse {
  readonly status: number;
  readonly statusText: string;
  readonly location: string | undefined;
  /** The caller must read it to the end, or {@link drop} it: an open body keeps its connection. */
  readonly body: Readable;
  drop(): Promise<void>;
}

/** Every connection the store makes by itself: fetching remote files and calling webhooks. */
export interface Outbound {
  /** One hop; redirects are the caller's. User name and password in the URL are sent as Basic. */
  send(request: OutboundRequest): Promise<OutboundResponse>;
  close(): Promise<void>;
}

/** Connects to allowed addresses only (`origin/address-guard.ts`); private ones where the options open them. */
export function createOutbound(allowPrivate: boolean | readonly string[]): Outbound {
  const publicOnly = dispatcher(false);
  const alsoPrivate = dispatcher(true);
  const opened = typeof allowPrivate === 'boolean' ? [] : allowPrivate.map((prefix) => new URL(prefix));
  const mayBePrivate = (url: URL): boolean =>
    allowPrivate === true ||
    opened.some((prefix) => url.origin === prefix.origin && url.pathname.startsWith(prefix.pathname));

  return {
    async send({ url, method, headers, body, signal }) {
      const answer = await request(withoutCredentials(url), {
        dispatcher: mayBePrivate(url) ? alsoPrivate : publicOnly,
        method,
        headers: { 'user-agent': 'lazyferry-media-store', ...headers, ...basicCredentials(url) },
        body: body ?? null,
        signal,
      });
      const location = answer.headers.location;
      return {
        status: answer.statusCode,
        statusText: answer.statusText,
        location: typeof location === 'string' ? location : undefined,
        body: answer.body,
        drop: () => answer.body.dump({ limit: 65_536 }).catch(() => undefined),
      };
    },
    async close() {
      await Promise.all([publicOnly.destroy(), alsoPrivate.destroy()]);
    },
  };
}

function dispatcher(allowPrivate: boolean): Dispatcher {
  return createGuardedDispatcher({
    allowPrivate,
    connections: 32,
    connectTimeout: 10_000,
    headersTimeout: 30_000,
    bodyTimeout: 30_000,
  });
}

/** The URL as it may be shown and sent: without user name and password. */
export function withoutCredentials(url: URL): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  shown.hash = '';
  return shown.href;
}

function basicCredentials(url: URL): Record<string, string> {
  if (url.username === '' && url.password === '') return {};
  const decoded = [url.username, url.password].map(decodeLeniently).join(':');
  return { authorization: `Basic ${Buffer.from(decoded).toString('base64')}` };
}

function decodeLeniently(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
