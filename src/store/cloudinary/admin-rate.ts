import { AssetFailure } from '../../asset/failure.ts';
import type { StoreAnswer } from './answer.ts';

/**
 * What is left of the Admin API's hourly calls (500 on a free plan), by the headers of its last answer (contract §5.2).
 * Once none is left, calls fail here until the hour is over: asking again would not help and is counted too.
 */
export class AdminRate {
  #usedUpUntil = 0;

  note(answer: StoreAnswer, now: number): void {
    const remaining = answer.headers['x-featureratelimit-remaining'];
    const reset = Date.parse(answer.headers['x-featureratelimit-reset'] ?? '');
    this.#usedUpUntil = remaining === '0' && reset > now ? reset : 0;
  }

  /** @throws {AssetFailure} `store-rate-limited` */
  check(now: number): void {
    if (now >= this.#usedUpUntil) return;
    throw new AssetFailure('store-rate-limited', {
      detail: `Cloudinary’s Admin API is used up until ${new Date(this.#usedUpUntil).toISOString()}`,
      hint: 'ask Cloudinary for a higher hourly limit of the Admin API',
      retryAfterMs: this.#usedUpUntil - now,
    });
  }
}
