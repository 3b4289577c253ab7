import type { Reason } from './reason.ts';

export interface FailureDetails {
  /** One sentence for the operator: what was seen. Never holds a secret. */
  readonly detail: string;
  /** What the operator can do about it, where that is known. */
  readonly hint?: string;
  /** Milliseconds the other side asked us to wait (`Retry-After`, `X-FeatureRateLimit-Reset`). */
  readonly retryAfterMs?: number;
  /** The status the other side answered with, where it answered. */
  readonly status?: number;
  readonly cause?: unknown;
}

/** The one error that origins, stores and the migration job raise: a {@link Reason} with what was seen. */
export class AssetFailure extends Error {
  override readonly name = 'AssetFailure';
  readonly reason: Reason;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;

  constructor(reason: Reason, details: FailureDetails) {
    super(details.detail, { cause: details.cause });
    this.reason = reason;
    this.hint = details.hint;
    this.retryAfterMs = details.retryAfterMs;
    this.status = details.status;
  }
}
