import { Readable } from 'node:stream';
import { AssetFailure } from '../../asset/failure.ts';
import { bodyFailure } from './network-failure.ts';

export interface BodyLimits {
  /** What the framing promises; undefined for chunked and close-delimited bodies. */
  readonly length: number | undefined;
  readonly maxBytes: number;
  /** Milliseconds of silence. */
  readonly idleTimeout: number;
  /** Milliseconds of waiting for the origin in all. */
  readonly totalTimeout: number;
  /** Bytes a second on average, once the origin has been waited for `rateGrace` milliseconds. */
  readonly minRate: number;
  readonly rateGrace: number;
}

/**
 * A body from the origin that ends only when it is whole; anything else fails it with an `AssetFailure`.
 *
 * Only the origin's own slowness counts: the clock runs while we wait for its bytes and stands still while our reader
 * takes its time, so a slow client behind a range never makes a good origin look stalled.
 */
export class CheckedBody extends Readable {
  readonly #source: Readable;
  readonly #limits: BodyLimits;
  readonly #hasSurplus: () => boolean;
  #received = 0;
  #waited = 0;
  #waitingSince: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param hasSurplus whether more came than the framing promised; asked at the end */
  constructor(source: Readable, limits: BodyLimits, hasSurplus: () => boolean) {
    super();
    this.#source = source;
    this.#limits = limits;
    this.#hasSurplus = hasSurplus;
    source.on('data', (chunk: Buffer) => this.#receive(chunk));
    source.on('end', () => this.#finish());
    source.on('error', (error) => this.destroy(bodyFailure(error, this.#received, limits.length)));
    source.pause();
    // It may fail before its reader has begun; the reader then finds it failed. Unheard, it would end the process.
    this.on('error', () => {});
  }

  override _read(): void {
    if ((this.#limits.length ?? 0) > this.#limits.maxBytes) {
      this.destroy(this.#tooLarge());
      return;
    }
    this.#startWaiting();
    this.#source.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#stopWaiting();
    this.#source.destroy();
    callback(error);
  }

  #receive(chunk: Buffer): void {
    this.#stopWaiting();
    if (this.destroyed) return;
    this.#received += chunk.length;
    if (this.#received > this.#limits.maxBytes) this.destroy(this.#tooLarge());
    else if (this.#isTooSlow()) this.destroy(this.#timeout(`sends less than ${this.#limits.minRate} bytes a second`));
    else if (this.push(chunk)) this.#startWaiting();
    else this.#source.pause();
  }

  #finish(): void {
    this.#stopWaiting();
    if (this.destroyed) return;
    if (this.#hasSurplus()) {
      const detail = `the origin sends more than the ${this.#received} bytes it states`;
      this.destroy(new AssetFailure('origin-error', { detail }));
    } else if (this.#limits.length !== undefined && this.#received !== this.#limits.length) {
      this.destroy(bodyFailure(undefined, this.#received, this.#limits.length));
    } else {
      this.push(null);
    }
  }

  #startWaiting(): void {
    if (this.#waitingSince !== undefined || this.#source.readableEnded) return;
    this.#waitingSince = performance.now();
    const left = this.#limits.totalTimeout - this.#waited;
    const idle = this.#limits.idleTimeout;
    this.#timer = setTimeout(
      () => this.destroy(this.#timeout(left < idle ? 'takes too long in all' : `is silent for ${idle} ms`)),
      Math.max(0, Math.min(left, idle)),
    );
  }

  #stopWaiting(): void {
    if (this.#waitingSince === undefined) return;
    this.#waited += performance.now() - this.#waitingSince;
    this.#waitingSince = undefined;
    clearTimeout(this.#timer);
  }

  #isTooSlow(): boolean {
    const { rateGrace, minRate } = this.#limits;
    return this.#waited > rateGrace && (this.#received / this.#waited) * 1000 < minRate;
  }

  #timeout(what: string): AssetFailure {
    return new AssetFailure('origin-timeout', {
      detail: `the origin ${what}, after ${this.#received} bytes of the body`,
      hint: 'raise the timeouts under network if the origin is slow by nature',
    });
  }

  #tooLarge(): AssetFailure {
    const { length, maxBytes } = this.#limits;
    return new AssetFailure('too-large', {
      detail: `the object has ${length === undefined ? 'more than' : `${length} bytes; the limit is`} ${maxBytes} bytes`,
      hint: 'raise allow.maxBytes of this mapping if such objects are to be stored',
    });
  }
}
