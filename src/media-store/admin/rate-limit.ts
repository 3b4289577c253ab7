import { StoreError } from '../store-error.ts';

const HOUR = 3600e3;

/** Counts Admin API calls by the hour, as Cloudinary does (contract §5.2). */
export class HourlyLimit {
  readonly #clock: () => number;
  #limit: number;
  #hour = -1;
  #used = 0;

  constructor(limit: number, clock: () => number) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Another limit from now on; what was used in this hour is forgotten. */
  set(limit: number): void {
    this.#limit = limit;
    this.#used = 0;
  }

  /**
   * Counts one call. The headers belong on its answer, whatever it is.
   *
   * @throws {StoreError} 420
   */
  take(): Record<string, string> {
    const hour = Math.floor(this.#clock() / HOUR);
    if (hour !== this.#hour) {
      this.#hour = hour;
      this.#used = 0;
    }
    const reset = new Date((hour + 1) * HOUR);
    const headers = (): Record<string, string> => ({
      'x-featureratelimit-limit': String(this.#limit),
      'x-featureratelimit-remaining': String(this.#limit - this.#used),
      'x-featureratelimit-reset': reset.toUTCString(),
    });
    if (this.#used >= this.#limit) {
      const time = reset.toISOString().replace('T', ' ').replace('.000Z', ' UTC');
      throw new StoreError(
        420,
        `Rate Limit Exceeded. Limit of ${this.#limit} api operations reached. Try again on ${time}`,
        headers(),
      );
    }
    this.#used += 1;
    return headers();
  }
}
