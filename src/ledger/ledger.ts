import type { AssetKey } from '../asset/key.ts';
import type { Reason } from '../asset/reason.ts';
import type { AssetRecord, AssetState, ClaimRecord, OriginFacts, StoredCopy } from '../asset/record.ts';

/** The leased right to upload one asset. Hold it only as long as you renew it. */
export interface Claim extends ClaimRecord {
  readonly key: AssetKey;
}

export interface ClaimRequest {
  readonly key: AssetKey;
  readonly originUrl: string;
  /** Names the process, for the operator: `host:pid:random`. */
  readonly owner: string;
  readonly leaseMs: number;
  /**
   * What may be claimed besides assets never tried, failures due and lapsed leases:
   * `retry`: failures and missing assets before their time;
   * `refresh`: those and stored ones; the old copy stays in the record until the new one is settled;
   * `lost`: stored ones, whose copy is dropped from the record at once: the store no longer has it.
   */
  readonly redo?: 'retry' | 'refresh' | 'lost';
}

export type ClaimResult =
  /**
   * The claim is ours; `record` is in state `claimed`. `resumed`: it was claimed before, by whomever, so what the
   * store has under its public ID may come from that attempt.
   */
  | { readonly kind: 'won'; readonly claim: Claim; readonly record: AssetRecord; readonly resumed: boolean }
  /** Somebody else uploads it now. */
  | { readonly kind: 'held'; readonly record: AssetRecord }
  /** Nothing to do: stored, tombstoned, or failed or missing and not due yet. */
  | { readonly kind: 'settled'; readonly record: AssetRecord };

/**
 * How an attempt ended. Times are durations: the ledger's clock is the only one that counts.
 *
 * A copy with `verifiedAt` makes the asset `verified`. A refresh that ends `failed` or `missing` leaves the old copy
 * in service: the asset is `stored` (or `verified`) again, with the failure beside it.
 */
export type Settlement =
  | { readonly state: 'stored'; readonly copy: Omit<StoredCopy, 'storedAt'>; readonly origin: OriginFacts }
  | {
      readonly state: 'failed' | 'missing';
      readonly reason: Reason;
      readonly detail: string;
      readonly retryInMs: number;
      /** Left to the next request: the sweeper does not try again. A missing asset always is. */
      readonly sweep?: false;
    };

/** What one process of the fleet does for all of them. */
export interface DutyRequest {
  /** `probe`: nobody's; taking it shows that the ledger can be written. */
  readonly duty: 'sweep' | 'probe';
  /** Names the process, as in a claim. */
  readonly owner: string;
  readonly leaseMs: number;
}

/**
 * Which idle assets are dropped. Idle: without a copy, and left to the next request, which may never come. Anybody can
 * make as many of them as there are paths, so that their number needs a bound.
 */
export interface IdleRule {
  /** Since the last attempt. */
  readonly keepMs: number;
  /** Above so many, the longest idle go first. */
  readonly most: number;
}

export interface LedgerQuery {
  readonly mapping?: string;
  readonly states?: readonly AssetState[];
  readonly reasons?: readonly Reason[];
  /** Only assets whose path starts with this, character by character: `one/two` also finds `one/two-other`. */
  readonly pathPrefix?: string;
  /** At most this many records; 100 unless told, 1,000 at most. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

export interface LedgerPage {
  readonly records: readonly AssetRecord[];
  /** Absent on the last page. */
  readonly next?: string;
}

/** Counts of one mapping. */
export interface LedgerTally {
  readonly mapping: string;
  readonly states: Readonly<Record<AssetState, number>>;
  /** Failed and missing assets by why. */
  readonly failures: Readonly<Partial<Record<Reason, number>>>;
  /** Bytes of the copies proven whole. */
  readonly storedBytes: number;
}

/** An asset's record changed, or (`key` absent) anything may have: forget what you remember. */
export interface LedgerNews {
  readonly key?: AssetKey;
}

/**
 * The durable record of every asset's state: the one source of truth for coverage, and the place where claims are
 * decided. Every method is atomic over the whole fleet. Drivers: `sqlite/` (one machine), `redis/` (a fleet).
 * Each runs `test/contract/ledger.contract.ts`.
 *
 * Every method rejects with {@link LedgerUnavailable} when the ledger cannot be reached or cannot write.
 */
export interface Ledger {
  lookup(key: AssetKey): Promise<AssetRecord | undefined>;
  /** Decides in one step whether the caller may upload. The token is greater than any before for this asset. */
  claim(request: ClaimRequest): Promise<ClaimResult>;
  /** Extends the lease to `leaseMs` from now. False: the claim is no longer ours. */
  renew(claim: Claim, leaseMs: number): Promise<boolean>;
  /**
   * Ends the claim. `stale`: a later claim exists, or the record is gone; nothing was changed. Safe to repeat with the
   * same settlement when the answer was lost: it is `settled` again.
   */
  settle(claim: Claim, settlement: Settlement): Promise<'settled' | 'stale'>;
  /**
   * Gives the claim back: the next claimant may start at once. The asset is `known` again, or, where it has a copy,
   * `stored` or `verified`.
   */
  release(claim: Claim): Promise<'released' | 'stale'>;
  /** The asset was deleted on purpose and stays so: no claim is granted until `forget`. */
  tombstone(key: AssetKey, originUrl: string): Promise<void>;
  /** Drops the record, whatever its state: the next request starts from nothing. */
  forget(key: AssetKey): Promise<boolean>;
  /**
   * Pages of a ledger that goes on changing: a record that stays as it is is on one page at least. `sqlite` gives them
   * in the order of their keys, each once; `redis` in no order, and a record may come twice.
   *
   * @throws {TypeError} when `after` is not a mark of this ledger
   */
  query(query: LedgerQuery): Promise<LedgerPage>;
  /**
   * What the sweeper should take up: leases that ran out, claims given back, failures whose `retryAt` has come.
   * Idle ones are not among them: those are asked for again by the next request.
   */
  due(limit: number): Promise<readonly AssetRecord[]>;
  /** Drops idle assets, the longest idle first, `limit` at most. Resolves with their number. Nobody is told. */
  dropIdle(rule: IdleRule, limit: number): Promise<number>;
  tally(): Promise<readonly LedgerTally[]>;
  /**
   * Writes down what another ledger says of an asset. A claim does not come along: whoever holds it settles it there;
   * here the asset is `known`, or has the copy it had. False: the asset is claimed here, or known as it was then or
   * later, and nothing was changed.
   */
  restore(record: AssetRecord): Promise<boolean>;
  /** Takes a duty, or keeps it for `leaseMs` more. False: another process has it. */
  takeDuty(request: DutyRequest): Promise<boolean>;
  /** Asks every process of the fleet to begin no upload for this long. A pause that lasts longer stays. */
  pause(forMs: number): Promise<void>;
  /** Milliseconds until the fleet may begin uploads again; 0: now. */
  pausedFor(): Promise<number>;
  /** Calls back for changes made by any process of the fleet, this one included. Returns the way to stop. */
  subscribe(listener: (news: LedgerNews) => void): () => void;
  /** Rejects when the ledger cannot be reached: what readiness asks. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** The ledger cannot be reached or cannot write. Never a client's error: delivery passes through to the origin. */
export class LedgerUnavailable extends Error {
  override readonly name = 'LedgerUnavailable';
}
