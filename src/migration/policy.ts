import type { AssetFailure } from '../asset/failure.ts';
import type { Reason } from '../asset/reason.ts';
import type { Settlement } from '../ledger/ledger.ts';

interface Rule {
  /** `missing`: the origin's word that there is no such object; `failed`: something that may pass. */
  readonly state: 'missing' | 'failed';
  /** Wait after the first attempt; doubled by each further one. Seconds. */
  readonly first: number;
  /** Longest wait. Seconds. */
  readonly cap: number;
  /** Attempts after which the sweeper leaves it to the next request, or to the operator. {@link usualSweeps} unless told. */
  readonly sweeps?: number;
}

/** With the waits below: some hours for what passes by itself, some days for the rest. */
const usualSweeps = 20;

const minute = 60;
const hour = 60 * minute;

/** When an asset is tried again, by what went wrong. What passes by itself is tried soon; what a person must mend, late. */
const rules: Readonly<Record<Reason, Rule>> = {
  'origin-not-found': { state: 'missing', first: minute, cap: hour },
  'origin-gone': { state: 'missing', first: hour, cap: 24 * hour },
  // An S3 bucket that may not be listed says so of every key it does not have: like 404, it has no bound.
  'origin-denied': { state: 'failed', first: 5 * minute, cap: hour, sweeps: 3 },
  'origin-error': { state: 'failed', first: 10, cap: 10 * minute },
  'origin-timeout': { state: 'failed', first: 30, cap: 10 * minute },
  'origin-blocked': { state: 'failed', first: 10 * minute, cap: hour },
  'origin-private': { state: 'failed', first: 10 * minute, cap: 24 * hour },
  'origin-truncated': { state: 'failed', first: 30, cap: 10 * minute },
  'too-large': { state: 'failed', first: hour, cap: 24 * hour },
  'wrong-type': { state: 'failed', first: 10 * minute, cap: 24 * hour },
  'store-rejected': { state: 'failed', first: 10 * minute, cap: 24 * hour },
  'store-rate-limited': { state: 'failed', first: 10, cap: 5 * minute },
  'store-unreachable': { state: 'failed', first: 10, cap: 5 * minute },
  'store-auth': { state: 'failed', first: minute, cap: 10 * minute },
  'id-collision': { state: 'failed', first: hour, cap: 24 * hour },
};

/** The part of each wait that is left to chance, so that a burst of failures does not come back as a burst. */
const jitter = 0.2;

/**
 * What a failure means for the asset after `attempts` earlier ones in a row. A wait that the other side asked for is
 * kept (a day at most, as the drivers read it): clients are served from the origin meanwhile. Those of something missing
 * get a 404, which no origin can make longer than ours.
 *
 * @param random a number from 0 to before 1
 */
export function settlementOf(failure: AssetFailure, attempts: number, random: number): Settlement {
  const rule = rules[failure.reason];
  const wait = Math.min(rule.first * 2 ** Math.min(attempts, 30), rule.cap) * 1000;
  const asked = rule.state === 'missing' ? 0 : (failure.retryAfterMs ?? 0);
  const retryInMs = Math.round(Math.max(wait * (1 - jitter * random), asked));
  const spent = attempts + 1 >= (rule.sweeps ?? usualSweeps);
  return {
    state: rule.state,
    reason: failure.reason,
    detail: failure.message,
    retryInMs,
    ...(spent && { sweep: false }),
  };
}
