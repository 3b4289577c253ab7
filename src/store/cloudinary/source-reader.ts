import { addAbortSignal, type Readable } from 'node:stream';
import { AssetFailure } from '../../asset/failure.ts';
import type { UploadSource } from '../asset-store.ts';

type BytesSource = Extract<UploadSource, { kind: 'bytes' }>;

/**
 * Reads a source piece by piece into the caller's buffer. Where the source breaks off for a reason that may pass, it
 * is opened again at the place reached, a few times in all: half of five gigabytes need not be read twice.
 */
export class SourceReader {
  readonly #source: BytesSource;
  readonly #signal: AbortSignal | undefined;
  #stream: Readable | undefined;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  #rest: Uint8Array = new Uint8Array();
  /** Bytes taken out of the source, `#rest` included. */
  #taken = 0;
  #reopensLeft = 3;
  /** Why it was opened again, until bytes come. */
  #interruption: unknown;
  #ended = false;

  /** @param signal ends a read that waits, and rejects it with the signal's reason */
  constructor(source: BytesSource, signal?: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
  }

  /** Fills the buffer, or as much of it as there are bytes left. Returns the number of bytes. */
  async fill(buffer: Buffer): Promise<number> {
    let filled = 0;
    while (filled < buffer.length && (await this.#load())) {
      const piece = this.#rest.subarray(0, buffer.length - filled);
      buffer.set(piece, filled);
      filled += piece.length;
      this.#rest = this.#rest.subarray(piece.length);
    }
    return filled;
  }

  /** Whether there are no bytes left. */
  async atEnd(): Promise<boolean> {
    return !(await this.#load());
  }

  /** Closes the source, whatever is left of it. */
  close(): void {
    this.#ended = true;
    this.#stream?.destroy();
  }

  /** Makes sure that `#rest` holds bytes; false at the end. */
  async #load(): Promise<boolean> {
    while (this.#rest.length === 0) {
      if (this.#ended) return false;
      try {
        this.#iterator ??= this.#open();
        const next = await this.#iterator.next();
        if (next.done) this.#ended = true;
        else this.#rest = next.value;
      } catch (error) {
        this.#signal?.throwIfAborted();
        // A source that cannot be opened again does not hide why it was to be.
        if (this.#reopensLeft === 0 || !mayPass(error)) throw this.#interruption ?? error;
        this.#reopensLeft -= 1;
        this.#interruption = error;
        this.#iterator = undefined;
        continue;
      }
      this.#taken += this.#rest.length;
      this.#interruption = undefined;
    }
    return true;
  }

  #open(): AsyncIterator<Uint8Array> {
    this.#stream?.destroy();
    this.#stream = this.#source.open(this.#taken);
    if (this.#signal !== undefined) addAbortSignal(this.#signal, this.#stream);
    return this.#stream[Symbol.asyncIterator]();
  }
}

function mayPass(error: unknown): boolean {
  return error instanceof AssetFailure && ['origin-error', 'origin-timeout', 'origin-truncated'].includes(error.reason);
}
