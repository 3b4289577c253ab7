import { Agent, type Dispatcher, request } from 'undici';
import { AssetFailure } from '../../asset/failure.ts';
import { endToEndHeaders } from '../../http/headers.ts';
import { wholeBodies } from '../../http/whole-bodies.ts';
import type { StoreRead, StoreReadRequest } from '../asset-store.ts';
import { answerFailure } from './failures.ts';
import { networkFailure } from './network-failure.ts';

/** Answers to a read that have the bytes, or rightly none. */
const answers = new Set([200, 206, 304, 416]);

/** Reads stored copies by their delivery URLs. */
export class CopyReader {
  readonly #agent: Dispatcher;
  readonly #timeoutMs: number;

  constructor(timeoutMs: number, connections: number) {
    this.#timeoutMs = timeoutMs;
    // One connection a transfer, as for uploads.
    const agent = new Agent({ connections, pipelining: 1, allowH2: false, bodyTimeout: timeoutMs });
    this.#agent = agent.compose(wholeBodies);
  }

  /** @throws {AssetFailure} `store-unreachable`, `store-auth`, `store-rejected` (no such copy), `store-rate-limited` */
  async open(url: string, read: StoreReadRequest): Promise<StoreRead> {
    const response = await this.#ask('GET', url, read);
    if (answers.has(response.status)) return response;
    throw failureOf(response);
  }

  /** @throws {AssetFailure} as `open`, where the answer is neither yes nor no */
  async isThere(url: string): Promise<boolean> {
    const response = await this.#ask('HEAD', url, {});
    if (response.status !== 200 && response.status !== 404 && response.status !== 410) throw failureOf(response);
    response.body.resume();
    return response.status === 200;
  }

  async #ask(method: 'GET' | 'HEAD', url: string, { range, conditions, signal }: StoreReadRequest): Promise<StoreRead> {
    // The head must come in time; how long the body takes is up to its reader, silence apart (`bodyTimeout`).
    const tooLate = new AbortController();
    const timer = setTimeout(() => tooLate.abort(), this.#timeoutMs);
    try {
      const response = await request(url, {
        method,
        dispatcher: this.#agent,
        headers: { ...conditions, ...(range !== undefined && { range }), 'accept-encoding': 'identity' },
        signal: signal === undefined ? tooLate.signal : AbortSignal.any([tooLate.signal, signal]),
      });
      return {
        status: response.statusCode,
        headers: endToEndHeaders(response.headers),
        body: response.body,
      };
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (tooLate.signal.aborted) {
        throw new AssetFailure('store-unreachable', { detail: `no answer from the store in ${this.#timeoutMs} ms` });
      }
      throw networkFailure(error).failure;
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** Its body tells nothing, being a picture of an error or a page: it is not read. */
function failureOf({ status, headers, body }: StoreRead): AssetFailure {
  body.on('error', () => {}).destroy();
  return answerFailure({ status, headers, json: undefined }, { remoteUrl: false, now: Date.now(), secrets: [] });
}
