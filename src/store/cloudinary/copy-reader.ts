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
  async open(url: string, { range, conditions, signal }: StoreReadRequest): Promise<StoreRead> {
    // The head must come in time; how long the body takes is up to its reader, silence apart (`bodyTimeout`).
    const tooLate = new AbortController();
    const timer = setTimeout(() => tooLate.abort(), this.#timeoutMs);
    try {
      const response = await request(url, {
        dispatcher: this.#agent,
        headers: { ...conditions, ...(range !== undefined && { range }), 'accept-encoding': 'identity' },
        signal: signal === undefined ? tooLate.signal : AbortSignal.any([tooLate.signal, signal]),
      });
      const headers = endToEndHeaders(response.headers);
      if (answers.has(response.statusCode)) return { status: response.statusCode, headers, body: response.body };
      await response.body.dump();
      throw answerFailure(
        { status: response.statusCode, headers, json: undefined },
        { remoteUrl: false, now: Date.now(), secrets: [] },
      );
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof AssetFailure) throw error;
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
