import { setTimeout } from 'node:timers/promises';
import type { Asset } from '../asset/asset.ts';
import type { AssetRecord } from '../asset/record.ts';
import { type Claim, type ClaimResult, type Ledger, LedgerUnavailable, type Settlement } from '../ledger/ledger.ts';
import type { MigrationOutcome, MigrationRequest, Migrator } from './migrator.ts';

export interface AttemptContext {
  /** The record as it was claimed; `failure` tells of earlier attempts. */
  readonly record: AssetRecord;
  readonly redo: MigrationRequest['redo'];
  /** See `ClaimResult`. */
  readonly resumed: boolean;
  /** Aborted when the process stops and its time is over: the attempt then rejects, and the claim is given back. */
  readonly signal: AbortSignal;
}

/** One attempt under a claim. Rejects only when `signal` is aborted, or by a bug. */
export type Attempt = (asset: Asset, context: AttemptContext) => Promise<Settlement>;

export interface ClaimedOptions {
  readonly ledger: Ledger;
  readonly attempt: Attempt;
  /** Names this process. */
  readonly owner: string;
  readonly leaseMs: number;
  readonly signal: AbortSignal;
  /** Waits between the tries to settle while the ledger cannot be reached. */
  readonly settleAgainAfterMs?: readonly number[];
  /** Told of claims that were lost while the upload lived: another process took over. */
  readonly onLost?: (claim: Claim) => void;
}

/** A failover of Redis takes seconds. */
const usualWaits = [250, 500, 1_000, 2_000, 4_000];

/**
 * Wraps the attempt in the ledger's claim: wins it or steps back, renews the lease while the attempt lives, settles
 * what came of it. Losing the lease stops nothing: the upload can be repeated without harm, and the ledger refuses
 * the settlement of whoever has been replaced.
 */
export class Claimed implements Migrator {
  readonly #options: ClaimedOptions;

  constructor(options: ClaimedOptions) {
    this.#options = options;
  }

  async migrate({ asset, redo }: MigrationRequest): Promise<MigrationOutcome> {
    const { ledger, owner, leaseMs } = this.#options;
    try {
      const result = await ledger.claim({
        key: asset.key,
        originUrl: asset.originUrl,
        owner,
        leaseMs,
        ...(redo === undefined ? {} : { redo: redo === 'revalidate' ? 'refresh' : redo }),
      });
      if (result.kind !== 'won') return result;
      return await this.#hold(asset, result, redo);
    } catch (error) {
      if (error instanceof LedgerUnavailable) return { kind: 'postponed', why: 'ledger-down' };
      throw error;
    }
  }

  async #hold(
    asset: Asset,
    { claim, record, resumed }: Extract<ClaimResult, { kind: 'won' }>,
    redo: MigrationRequest['redo'],
  ): Promise<MigrationOutcome> {
    const { ledger, attempt, signal } = this.#options;
    const stopRenewing = this.#renew(claim);
    let settlement: Settlement;
    try {
      settlement = await attempt(asset, { record, redo, resumed, signal });
      if ((await this.#settle(claim, settlement)) === 'stale') return { kind: 'postponed', why: 'superseded' };
    } catch (error) {
      if (error instanceof LedgerUnavailable) throw error;
      await ledger.release(claim);
      if (signal.aborted) return { kind: 'postponed', why: 'stopping' };
      throw error;
    } finally {
      stopRenewing();
    }
    const settled = await ledger.lookup(asset.key);
    if (settled === undefined) return { kind: 'postponed', why: 'superseded' };
    return settlement.state === 'stored'
      ? { kind: 'stored', record: settled }
      : { kind: 'failed', reason: settlement.reason, record: settled };
  }

  /** A settlement can be repeated without harm; losing it would cost another request to the store. */
  async #settle(claim: Claim, settlement: Settlement): Promise<'settled' | 'stale'> {
    const { ledger, signal, settleAgainAfterMs = usualWaits } = this.#options;
    for (const waitMs of settleAgainAfterMs) {
      try {
        return await ledger.settle(claim, settlement);
      } catch (error) {
        if (!(error instanceof LedgerUnavailable) || signal.aborted) throw error;
        await setTimeout(waitMs);
      }
    }
    return ledger.settle(claim, settlement);
  }

  /** Renews three times per lease. Returns the way to stop. */
  #renew(claim: Claim): () => void {
    const { ledger, leaseMs, onLost } = this.#options;
    let renewing = false;
    const timer = setInterval(() => {
      if (renewing) return;
      renewing = true;
      ledger
        .renew(claim, leaseMs)
        .then((ours) => {
          if (ours) return;
          clearInterval(timer);
          onLost?.(claim);
        })
        // A ledger that is down now may be back before the lease ends.
        .catch(() => {})
        .finally(() => {
          renewing = false;
        });
    }, leaseMs / 3);
    timer.unref();
    return () => clearInterval(timer);
  }
}
