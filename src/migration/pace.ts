import { setTimeout as delay } from 'node:timers/promises';
import type { Ledger } from '../ledger/ledger.ts';

export interface PaceOptions {
  readonly ledger: Pick<Ledger, 'pause' | 'pausedFor'>;
  /** Uploads at a time while the store sets no limit. */
  readonly most: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly random: () => number;
  /** Told of each pause that the store asked this process for. */
  readonly onPause?: (milliseconds: number) => void;
}

/** Each process asks the ledger at most this often, so that a job costs no question of its own. */
const askEveryMs = 500;
/** The pause after a limit that names no end; doubled by each further one until an upload gets through. */
const firstPauseMs = 2_000;
const longestPauseMs = 60_000;
/** So much later, at most, do processes begin again: not all in one moment. */
const spread = 0.1;

/**
 * The fleet's pace of uploads. A store that says "rate limited" to one process pauses all of them, by the ledger, until
 * the time it named. Afterwards each process begins with half as many uploads at a time, and adds one for each round
 * that gets through.
 */
export class Pace {
  readonly #options: PaceOptions;
  #pausedUntil = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;
  #limitsInARow = 0;
  #slots: number;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#slots = options.most;
  }

  /** Uploads that this process may have under way. */
  get slots(): number {
    return Math.floor(this.#slots);
  }

  /** Milliseconds that the pause goes on, as far as this process knows; 0: there is none. */
  get pausedFor(): number {
    return Math.max(0, this.#pausedUntil - this.#options.now());
  }

  /** Resolves when an upload may begin. Rejects when the signal is aborted. */
  async clearance(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      await this.#ask();
      const left = this.pausedFor;
      if (left === 0) return;
      await delay(left * (1 + spread * this.#options.random()), undefined, { signal });
    }
  }

  /** The store said that it is asked too much; `forMs`: for how long, where it said so. */
  limited(forMs: number | undefined): void {
    const pauseMs = forMs ?? Math.min(firstPauseMs * 2 ** Math.min(this.#limitsInARow, 10), longestPauseMs);
    this.#limitsInARow += 1;
    if (pauseMs <= this.pausedFor) return;
    this.#hold(pauseMs);
    this.#options.onPause?.(pauseMs);
    // Where the ledger is down the others learn it from the store, as this process did.
    this.#options.ledger.pause(pauseMs).catch(() => {});
  }

  /** An upload got through. */
  succeeded(): void {
    this.#limitsInARow = 0;
    this.#slots = Math.min(this.#options.most, this.#slots + 1 / this.#slots);
  }

  #hold(milliseconds: number): void {
    if (this.pausedFor === 0) this.#slots = Math.max(1, this.#slots / 2);
    this.#pausedUntil = this.#options.now() + milliseconds;
  }

  #ask(): Promise<void> {
    if (this.#options.now() - this.#askedAt < askEveryMs) return this.#asking ?? Promise.resolve();
    this.#askedAt = this.#options.now();
    this.#asking = this.#options.ledger
      .pausedFor()
      .then(
        (left) => {
          if (left > this.pausedFor) this.#hold(left);
        },
        // No claim is granted either while the ledger is down.
        () => {},
      )
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }
}
