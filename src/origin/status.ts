import { AssetFailure } from '../asset/failure.ts';
import type { Reason } from '../asset/reason.ts';

const reasonByStatus: Readonly<Record<number, Reason>> = {
  401: 'origin-denied',
  403: 'origin-denied',
  404: 'origin-not-found',
  407: 'origin-denied',
  408: 'origin-timeout',
  410: 'origin-gone',
  451: 'origin-denied',
};

/** Answers that give the object, a part of it, or the word that nothing changed or that the part does not exist. */
const answers: ReadonlySet<number> = new Set([200, 206, 304, 412, 416]);

/**
 * What an origin's status means for the asset; undefined when it is an answer about the object itself.
 * Other 2xx count as errors: they promise no complete body of the object (203 was altered on the way).
 */
export function reasonOfStatus(status: number): Reason | undefined {
  if (answers.has(status)) return undefined;
  return reasonByStatus[status] ?? 'origin-error';
}

const hintByReason: Partial<Record<Reason, string>> = {
  'origin-denied': 'the origin wants other credentials: check auth of this mapping, or let lazyferry’s address in',
  'origin-error': 'look at the origin’s own log; it is tried again later',
};

/** The failure that the origin's status stands for; undefined when {@link reasonOfStatus} sees none. */
export function statusFailure(
  response: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
  now: number = Date.now(),
): AssetFailure | undefined {
  const reason = reasonOfStatus(response.status);
  if (reason === undefined) return undefined;
  const hint = hintByReason[reason];
  const retryAfterMs = parseRetryAfter(response.headers['retry-after'], now);
  return new AssetFailure(reason, {
    detail: `the origin answered ${response.status}`,
    status: response.status,
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** An origin that means years was broken into, or is mistaken: after a day it is asked again. */
const longestWait = 24 * 3_600_000;

/**
 * `Retry-After` (RFC 9110 §10.2.3) in milliseconds from `now`, a day at most; undefined when absent or neither seconds
 * nor a date.
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Math.min(Number(value) * 1000, longestWait);
  // An HTTP-date names its weekday; Date.parse alone would take "1.5" for a date.
  const date = /^[A-Z][a-z]{2,8},? /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - now), longestWait);
}
