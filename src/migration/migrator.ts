import type { Asset } from '../asset/asset.ts';
import type { Reason } from '../asset/reason.ts';
import type { AssetRecord } from '../asset/record.ts';

export interface MigrationRequest {
  readonly asset: Asset;
  /**
   * See `ClaimRequest.redo`. `revalidate`: a refresh that uploads only where the origin has a newer version than the
   * one that was copied.
   */
  readonly redo?: 'retry' | 'refresh' | 'lost' | 'revalidate';
}

/** `store-down`, `origin-down`: a circuit breaker is open. */
type PostponedBecause = 'overloaded' | 'ledger-down' | 'store-down' | 'origin-down' | 'superseded' | 'stopping';

export type MigrationOutcome =
  /** We uploaded it, or found it whole at the store; `record` is what the ledger says now. */
  | { readonly kind: 'stored'; readonly record: AssetRecord }
  /** This attempt failed; `record` tells when the next one may start. */
  | { readonly kind: 'failed'; readonly reason: Reason; readonly record: AssetRecord }
  /** Nothing to do: settled before. */
  | { readonly kind: 'settled'; readonly record: AssetRecord }
  /** Another process has the claim. */
  | { readonly kind: 'held'; readonly record: AssetRecord }
  /** Not tried: the next request tries again. */
  | { readonly kind: 'postponed'; readonly why: PostponedBecause };

/**
 * Brings one asset to the store. The job is a stack of small decorators of this port, outermost first:
 *
 * `single-flight` (one job per asset and process) → `bounded` (so many at a time) → `paced` (waits while the
 * fleet's uploads pause) → `guarded` (circuit breakers) → `claimed` (the ledger's claim, its
 * lease, and the settlement) → `attempt` (examine → transfer → prove).
 *
 * No client can cancel it. It never rejects for what happens to an asset; that is an outcome.
 */
export interface Migrator {
  migrate(request: MigrationRequest): Promise<MigrationOutcome>;
}
