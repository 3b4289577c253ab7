import type { Socket } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { AssetFailure } from '../../asset/failure.ts';
import { createGuardedDispatcher, type ResolveName } from '../guarded-dispatcher.ts';
import type { Origin, OriginBody, OriginRequest, OriginResponse } from '../origin.ts';
import type { Credentials } from './auth.ts';
import { withinOrigin } from './boundary.ts';
import { CheckedBody } from './checked-body.ts';
import { exchangeFailure } from './network-failure.ts';
import { isHeadRefused, probeRequest, wholeFromProbe } from './probe.ts';
import { nextHop, type RedirectRules } from './redirect.ts';
import { type Introduction, requestHeaders } from './request-headers.ts';
import { readResponse } from './response.ts';
import { createWatchedPool, hasSurplus, Lane } from './watched-client.ts';

/** A mapping's `network`; times in milliseconds. */
export interface OriginNetwork extends RedirectRules {
  readonly allowPrivate: boolean;
  readonly connectTimeout: number;
  readonly headersTimeout: number;
  readonly bodyTimeout: number;
  readonly connections: number;
  /** Longest wait for the origin over one whole exchange; an hour unless told. */
  readonly totalTimeout?: number;
  /** Slowest average of a body in bytes a second, measured after the first 30 s of waiting; 1,024 unless told. */
  readonly minRate?: number;
  /** Milliseconds of waiting before `minRate` counts. */
  readonly rateGrace?: number;
}

export interface HttpReaderOptions extends Introduction {
  /** Absolute http or https URL that ends with a slash: nothing above it is ever asked for. */
  readonly origin: string;
  readonly network: OriginNetwork;
  readonly credentials?: Credentials;
  /** Longer bodies fail with `too-large`; no limit unless told here or in the request. */
  readonly maxBytes?: number;
  /** For tests: answers for names. */
  readonly resolve?: ResolveName;
  /** Certificates to trust besides the system's, in PEM. */
  readonly ca?: string;
}

type Method = 'GET' | 'HEAD';

interface Answer {
  readonly response: OriginResponse;
  readonly body: Readable & { dump(options: { limit: number; signal: AbortSignal }): Promise<unknown> };
  readonly socket: Socket | undefined;
}

/** Reads one origin over HTTP: what the `http` and the `s3` driver have in common. */
export class HttpReader implements Origin {
  readonly #options: HttpReaderOptions;
  readonly #origin: URL;
  readonly #rules: RedirectRules;
  readonly #dispatcher: Dispatcher;
  readonly #totalTimeout: number;

  constructor(options: HttpReaderOptions) {
    const { network } = options;
    this.#options = options;
    this.#origin = new URL(options.origin);
    this.#rules = {
      maxRedirects: network.maxRedirects,
      redirectHosts: network.redirectHosts.map((host) => host.toLowerCase()),
    };
    this.#totalTimeout = network.totalTimeout ?? 3_600_000;
    this.#dispatcher = createGuardedDispatcher({
      allowPrivate: network.allowPrivate,
      connections: network.connections,
      connectTimeout: network.connectTimeout,
      headersTimeout: network.headersTimeout,
      bodyTimeout: 0, // CheckedBody knows whose fault a silence is
      factory: createWatchedPool,
      ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    });
  }

  async open(request: OriginRequest): Promise<OriginBody> {
    const { response, body: source, socket } = await this.#exchange('GET', request);
    const { network } = this.#options;
    const body = new CheckedBody(
      source,
      {
        length: response.length,
        maxBytes: request.maxBytes ?? this.#options.maxBytes ?? Number.POSITIVE_INFINITY,
        idleTimeout: network.bodyTimeout,
        totalTimeout: this.#totalTimeout,
        minRate: network.minRate ?? 1024,
        rateGrace: network.rateGrace ?? 30_000,
      },
      () => hasSurplus(socket),
    );
    if (request.signal !== undefined) addAbortSignal(request.signal, body);
    return { ...response, body };
  }

  async describe(request: OriginRequest): Promise<OriginResponse> {
    const byHead = await this.#describeBy('HEAD', request);
    if (!isHeadRefused(byHead.status)) return byHead;
    return wholeFromProbe(request, await this.#describeBy('GET', probeRequest(request)));
  }

  close(): Promise<void> {
    return this.#dispatcher.destroy();
  }

  async #describeBy(method: Method, request: OriginRequest): Promise<OriginResponse> {
    const { response, body } = await this.#exchange(method, request);
    discard(body);
    return response;
  }

  /** The final answer, with the caller's signal and the total time set against all hops. */
  async #exchange(method: Method, request: OriginRequest): Promise<Answer> {
    request.signal?.throwIfAborted();
    const cancel = new AbortController();
    const abort = () => cancel.abort(request.signal?.reason);
    request.signal?.addEventListener('abort', abort, { once: true });
    const timer = setTimeout(() => cancel.abort(noAnswerInTime()), this.#totalTimeout);
    try {
      return await this.#follow(method, request, cancel.signal);
    } catch (error) {
      request.signal?.throwIfAborted();
      throw exchangeFailure(error);
    } finally {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', abort);
    }
  }

  async #follow(method: Method, request: OriginRequest, signal: AbortSignal): Promise<Answer> {
    const headers = requestHeaders(request, this.#options);
    const first = withinOrigin(request.url, this.#options.origin);
    const visited: [URL, ...URL[]] = [first];
    let credentials = this.#options.credentials;
    for (let url = first; ; ) {
      const admission = await credentials?.({ method, url, headers });
      const answer = await this.#ask(method, url, { ...headers, ...admission }, signal);
      const next = settle(answer, () =>
        nextHop(answer.response.status, answer.response.headers.location, visited, this.#rules),
      );
      if (next === undefined) return answer;
      discard(answer.body);
      // Credentials are bound to one scheme, host and port. Once a chain has left it, they do not come back.
      if (next.origin !== this.#origin.origin) credentials = undefined;
      visited.push(next);
      url = next;
    }
  }

  async #ask(method: Method, url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Answer> {
    const lane = new Lane();
    try {
      return await this.#send(method, url, headers, signal, lane);
    } catch (error) {
      // The origin may close an idle connection in the moment we use it: a safe request is sent once more.
      if (signal.aborted || !lane.isReused || !isLostConnection(error)) throw error;
      return await this.#send(method, url, headers, signal, new Lane());
    }
  }

  async #send(
    method: Method,
    url: URL,
    headers: Record<string, string>,
    signal: AbortSignal,
    lane: Lane,
  ): Promise<Answer> {
    const {
      statusCode,
      headers: raw,
      body,
    } = await this.#dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers,
      signal,
      opaque: lane,
    });
    return settle({ body }, () => ({ response: readResponse(statusCode, raw), body, socket: lane.socket() }));
  }
}

/** Works out what to do with an answer; when it is not acceptable, its body must not hold the connection. */
function settle<Result>(answer: { readonly body: Readable }, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    answer.body.on('error', () => {}).destroy();
    throw error;
  }
}

/** Reads away a short body so that the connection can serve again; a long or slow one costs the connection. */
function discard(body: Answer['body']): void {
  body.dump({ limit: 16_384, signal: AbortSignal.timeout(1_000) }).catch(() => {});
}

function isLostConnection(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}

function noAnswerInTime(): AssetFailure {
  return new AssetFailure('origin-timeout', { detail: 'no answer from the origin in the time for the whole exchange' });
}
