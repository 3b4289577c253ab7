import { type Dispatcher, Pool } from 'undici';
import { AssetFailure } from '../../asset/failure.ts';
import type { StoreAnswer } from './answer.ts';
import { Deadline } from './deadline.ts';
import { networkFailure } from './network-failure.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST';
  /** Begins with `/`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: ApiBody;
  /** Sending it twice does no harm: it is sent once more when the connection broke under it. */
  readonly repeatable: boolean;
  readonly signal?: AbortSignal;
}

interface ApiBody {
  readonly contentType: string;
  readonly length: number;
  open(): AsyncIterable<Uint8Array>;
}

export interface ApiClientOptions {
  /** Scheme and host. */
  readonly prefix: string;
  /** Longest silence of the store, in milliseconds. */
  readonly timeoutMs: number;
  readonly connections: number;
}

/** The slowest transfer that counts as alive, in bytes a millisecond. Bounds the time of one request over all. */
const slowestRate = 16;

/** No answer of the API comes near this; what does is not the API, and is not read into memory. */
const largestAnswer = 8 * 1024 * 1024;

/**
 * Requests to the Upload and Admin API over one pool of kept-alive connections. Answers are read to their end, so no
 * connection is held up by a body nobody wanted.
 */
export class ApiClient {
  readonly #pool: Pool;
  readonly #options: ApiClientOptions;

  constructor(options: ApiClientOptions) {
    this.#options = options;
    this.#pool = new Pool(options.prefix, {
      connections: options.connections,
      pipelining: 1,
      // Uploads side by side go over connections side by side: over one, each would wait for the others' packets.
      allowH2: false,
      connect: { timeout: Math.min(options.timeoutMs, 10_000) },
      // The deadline below is the only clock.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /**
   * Any complete answer is returned, whatever its status.
   *
   * @throws {AssetFailure} `store-unreachable` when there is none; what the body throws, when that fails; the signal's
   *   reason, when the caller aborts
   */
  async request(request: ApiRequest): Promise<StoreAnswer> {
    const first = await this.#attempt(request);
    if (first.kind === 'answer') return first.answer;
    if (!first.repeat || !request.repeatable) throw first.error;
    const second = await this.#attempt(request);
    if (second.kind === 'answer') return second.answer;
    // A body that cannot be had a second time does not hide why it was wanted.
    throw second.ofBody ? first.error : second.error;
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #attempt(request: ApiRequest): Promise<Attempt> {
    request.signal?.throwIfAborted();
    const { timeoutMs } = this.#options;
    const deadline = new Deadline(timeoutMs, timeoutMs + (request.body?.length ?? 0) / slowestRate);
    const body = request.body === undefined ? undefined : new WatchedBody(request.body, deadline);
    try {
      const response = await this.#pool.request({
        method: request.method,
        path: request.path,
        headers: { accept: 'application/json', ...request.headers, ...body?.headers },
        // undici takes async iterables; only its types do not say so.
        body: (body?.stream() as Dispatcher.DispatchOptions['body']) ?? null,
        signal: request.signal === undefined ? deadline.signal : AbortSignal.any([deadline.signal, request.signal]),
      });
      deadline.resume();
      const text = await readText(response.body);
      return { kind: 'answer', answer: { ...flat(response), json: parseObject(text) } };
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason;
      if (body?.failure !== undefined) return { kind: 'broken', error: body.failure, repeat: false, ofBody: true };
      if (error instanceof AssetFailure) return { kind: 'broken', error, repeat: false, ofBody: false };
      if (deadline.signal.aborted) {
        return { kind: 'broken', error: timeoutFailure(timeoutMs), repeat: false, ofBody: false };
      }
      const { failure, broken } = networkFailure(error);
      return { kind: 'broken', error: failure, repeat: broken, ofBody: false };
    } finally {
      deadline.pause();
    }
  }
}

type Attempt =
  | { readonly kind: 'answer'; readonly answer: StoreAnswer }
  | {
      readonly kind: 'broken';
      readonly error: unknown;
      /** The connection broke; another may hold. */
      readonly repeat: boolean;
      /** Our own body failed, not the store. */
      readonly ofBody: boolean;
    };

function timeoutFailure(timeoutMs: number): AssetFailure {
  return new AssetFailure('store-unreachable', {
    detail: `no answer from the store for ${timeoutMs} ms`,
    hint: 'raise store.timeout if the store is slow by nature',
  });
}

/** A request body that keeps the deadline informed and remembers its own failure, which undici may put another way. */
class WatchedBody {
  readonly headers: Readonly<Record<string, string>>;
  failure: unknown;
  readonly #body: ApiBody;
  readonly #deadline: Deadline;

  constructor(body: ApiBody, deadline: Deadline) {
    this.#body = body;
    this.#deadline = deadline;
    this.headers = { 'content-type': body.contentType, 'content-length': String(body.length) };
  }

  async *stream(): AsyncIterable<Uint8Array> {
    this.#deadline.pause();
    try {
      for await (const piece of this.#body.open()) {
        this.#deadline.resume();
        yield piece;
        this.#deadline.pause();
      }
    } catch (error) {
      this.failure = error;
      throw error;
    } finally {
      this.#deadline.resume();
    }
  }
}

function flat(response: Dispatcher.ResponseData): Pick<StoreAnswer, 'status' | 'headers'> {
  const headers = Object.entries(response.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name.toLowerCase(), typeof value === 'string' ? value : value.join(', ')]],
  );
  return { status: response.statusCode, headers: Object.fromEntries(headers) };
}

async function readText(body: Dispatcher.ResponseData['body']): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > largestAnswer) {
      throw new AssetFailure('store-unreachable', {
        detail: `the store’s answer is longer than ${largestAnswer} bytes`,
      });
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
