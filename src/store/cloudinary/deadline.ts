/**
 * Aborts when the store has been silent for too long, or has taken too long in all. Only the store's own time counts:
 * while we wait for the origin's bytes the clock stands still (`pause`), and each piece the store takes is a sign of
 * life (`resume`).
 */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #silenceMs: number;
  #leftMs: number;
  #startedAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** Runs at once. */
  constructor(silenceMs: number, totalMs: number) {
    this.#silenceMs = silenceMs;
    this.#leftMs = totalMs;
    this.resume();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  resume(): void {
    this.pause();
    this.#startedAt = performance.now();
    this.#timer = setTimeout(() => this.#controller.abort(), Math.max(0, Math.min(this.#silenceMs, this.#leftMs)));
    this.#timer.unref();
  }

  pause(): void {
    clearTimeout(this.#timer);
    if (this.#startedAt !== undefined) this.#leftMs -= performance.now() - this.#startedAt;
    this.#startedAt = undefined;
  }
}
