/** So many in a time, and a burst of as many: refilled evenly (a token bucket). */
export class Budget {
  readonly #size: number;
  readonly #perMs: number;
  #left: number;
  #at: number;

  /** @param now milliseconds, of any clock that does not go back */
  constructor(size: number, periodMs: number, now: number) {
    this.#size = size;
    this.#perMs = size / periodMs;
    this.#left = size;
    this.#at = now;
  }

  take(now: number): boolean {
    this.#left = Math.min(this.#size, this.#left + Math.max(0, now - this.#at) * this.#perMs);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
