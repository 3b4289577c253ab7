import { setTimeout as delay } from 'node:timers/promises';
import type { Asset } from '../asset/asset.ts';
import { type AssetKey, encodeAssetKey } from '../asset/key.ts';
import { type IdleRule, type Ledger, LedgerUnavailable } from '../ledger/ledger.ts';
import type { MigrationOutcome, Migrator } from './migrator.ts';

export interface SweeperOptions {
  readonly ledger: Pick<Ledger, 'takeDuty' | 'due' | 'dropIdle'>;
  readonly migrator: Migrator;
  /** Names this process. */
  readonly owner: string;
  /** Undefined where the mapping is gone. */
  readonly assetOf: (key: AssetKey) => Asset | undefined;
  /** See `Ledger.dropIdle`. */
  readonly idle: IdleRule;
  /** Jobs of the sweep at a time: few, so that requests find room beside it. */
  readonly concurrency: number;
  /** Rest between two sweeps that found nothing more to do. */
  readonly restMs: number;
  readonly random: () => number;
  readonly observe: (event: SweepEvent) => void;
}

export type SweepEvent =
  | { readonly kind: 'swept'; readonly outcome: MigrationOutcome }
  /** This process took the duty over from another one, or is the first to have it. */
  | { readonly kind: 'duty' }
  /** So many idle assets were dropped from the ledger. */
  | { readonly kind: 'dropped'; readonly assets: number }
  /** A bug of ours. */
  | { readonly kind: 'broken'; readonly error: unknown };

/** Assets taken up in one go. */
const batch = 100;
/** Idle assets dropped in one go. */
const dropBatch = 200;
/** Most assets looked through to find some that can be worked on. */
const furthest = 5_000;
/** The duty lasts so many rests: a process that died is replaced after that. */
const restsPerDuty = 4;

/**
 * Takes up what is due without waiting for a request: failures whose time has come, claims whose owner died or gave
 * them back; and drops what is idle for too long. One process of the fleet has the duty at a time. Were there two, for a moment, nothing would be done
 * twice: each asset is claimed as by any request, and only where it is due.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #running = new Map<string, Promise<void>>();
  /** Due, but not to be worked on now: they must not hide what comes behind them. */
  #passedOver = 0;
  #hasDuty = false;
  #trouble: string | undefined;
  /** Nothing can be done for any asset at present. */
  #halted = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  /** What the ledger said when it was last asked for the duty and could not give it; undefined: all is well. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Sweeps until the signal is aborted; resolves when its last job has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const { restMs, random, observe } = this.#options;
    while (!signal.aborted) {
      try {
        if (await this.#sweep(signal)) continue;
      } catch (error) {
        this.#hasDuty = false;
        if (error instanceof LedgerUnavailable) this.#trouble = error.message;
        else observe({ kind: 'broken', error });
      }
      await rest(restMs * (0.75 + random() / 2), signal);
    }
    await Promise.all(this.#running.values());
  }

  /** True: there may be more to do at once. */
  async #sweep(signal: AbortSignal): Promise<boolean> {
    if (!(await this.#takeDuty())) return false;
    this.#halted = false;
    const dropped = await this.#dropIdle();
    const wanted = Math.min(batch + this.#passedOver, furthest);
    const due = await this.#options.ledger.due(wanted);
    let passedOver = 0;
    let begun = 0;
    for (const { key } of due) {
      const id = encodeAssetKey(key);
      const asset = this.#running.has(id) ? undefined : this.#options.assetOf(key);
      if (asset === undefined) {
        passedOver += 1;
        continue;
      }
      do {
        // Asked again all along: who waits for long, because uploads pause, has the duty still.
        if (signal.aborted || !(await this.#takeDuty())) return false;
      } while (!(await this.#hasRoom(signal)));
      if (this.#halted) return false;
      begun += 1;
      const job = this.#migrate(asset).then((tried) => {
        if (!tried) passedOver += 1;
      });
      this.#running.set(
        id,
        job.finally(() => this.#running.delete(id)),
      );
    }
    await this.#soon(Promise.all(this.#running.values()), signal);
    this.#passedOver = this.#halted ? 0 : passedOver;
    return dropped === dropBatch || (!this.#halted && due.length === wanted && begun > passedOver);
  }

  async #dropIdle(): Promise<number> {
    const { ledger, idle, observe } = this.#options;
    const assets = await ledger.dropIdle(idle, dropBatch);
    if (assets > 0) observe({ kind: 'dropped', assets });
    return assets;
  }

  async #hasRoom(signal: AbortSignal): Promise<boolean> {
    if (this.#running.size < this.#options.concurrency) return true;
    await this.#soon(Promise.race(this.#running.values()), signal);
    return this.#running.size < this.#options.concurrency;
  }

  /** Resolves with what is waited for, after a rest at the latest. */
  async #soon(awaited: Promise<unknown>, signal: AbortSignal): Promise<void> {
    await Promise.race([awaited, rest(this.#options.restMs, signal)]);
  }

  async #takeDuty(): Promise<boolean> {
    const { ledger, owner, restMs, observe } = this.#options;
    const had = this.#hasDuty;
    this.#hasDuty = await ledger.takeDuty({ duty: 'sweep', owner, leaseMs: restMs * restsPerDuty });
    this.#trouble = undefined;
    if (this.#hasDuty && !had) observe({ kind: 'duty' });
    return this.#hasDuty;
  }

  async #migrate(asset: Asset): Promise<boolean> {
    const { migrator, observe } = this.#options;
    try {
      const outcome = await migrator.migrate({ asset });
      observe({ kind: 'swept', outcome });
      if (outcome.kind !== 'postponed') return true;
      this.#halted ||= outcome.why !== 'origin-down' && outcome.why !== 'superseded';
      return false;
    } catch (error) {
      observe({ kind: 'broken', error });
      return false;
    }
  }
}

async function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal, ref: false }).catch(() => {});
}
