import type { StoreAnswer } from './answer.ts';

const longestWait = 24 * 60 * 60 * 1000;

/**
 * How long the store asks us to wait, in milliseconds: by `Retry-After` (RFC 9110 §10.2.3), else by
 * `X-FeatureRateLimit-Reset` where the limit is used up, else by the text (contract §5.2). Undefined where it says
 * nothing; never negative, never more than a day.
 */
export function retryAfterMs(answer: StoreAnswer, text: string | undefined, now: number): number | undefined {
  const wait = byRetryAfter(answer, now) ?? byReset(answer, now) ?? byText(text, now);
  return wait === undefined ? undefined : Math.min(Math.max(wait, 0), longestWait);
}

function byRetryAfter(answer: StoreAnswer, now: number): number | undefined {
  const value = answer.headers['retry-after'];
  if (value === undefined) return undefined;
  return /^\d+$/.test(value) ? Number(value) * 1000 : until(value, now);
}

function byReset(answer: StoreAnswer, now: number): number | undefined {
  const used = answer.status === 420 || answer.status === 429 || answer.headers['x-featureratelimit-remaining'] === '0';
  const reset = answer.headers['x-featureratelimit-reset'];
  return used && reset !== undefined ? until(reset, now) : undefined;
}

/** `Rate Limit Exceeded. Limit of 500 api operations reached. Try again on 2026-11-24 17:00:00 UTC` */
function byText(text: string | undefined, now: number): number | undefined {
  const match = /Try again on (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/i.exec(text ?? '');
  return match === null ? undefined : until(`${match[1]}T${match[2]}Z`, now);
}

function until(date: string, now: number): number | undefined {
  const time = Date.parse(date);
  return Number.isNaN(time) ? undefined : time - now;
}
