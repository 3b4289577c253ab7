import type { Asset } from '../asset/asset.ts';
import { encodeAssetKey } from '../asset/key.ts';
import type { AssetRecord } from '../asset/record.ts';
import type { Claim, Ledger } from '../ledger/ledger.ts';
import { type AttemptDependencies, createAttempt } from './attempt.ts';
import { Bounded } from './bounded.ts';
import { Claimed } from './claimed.ts';
import { type BreakerChange, Guarded } from './guarded.ts';
import type { MigrationOutcome, MigrationRequest } from './migrator.ts';
import { Pace } from './pace.ts';
import { Paced } from './paced.ts';
import { SingleFlight } from './single-flight.ts';
import type { TypeMismatch } from './type-mismatch.ts';

export interface MigrationOptions extends Omit<AttemptDependencies, 'onProgress' | 'onRateLimited'> {
  readonly ledger: Ledger;
  /** Names this process. */
  readonly owner: string;
  readonly leaseMs: number;
  /** Jobs at a time. */
  readonly concurrency: number;
  readonly now: () => number;
  readonly observe: (event: MigrationEvent) => void;
}

export type MigrationEvent =
  | { readonly kind: 'ended'; readonly asset: Asset; readonly outcome: MigrationOutcome; readonly milliseconds: number }
  /** Somebody asked for an asset whose job was running already. */
  | { readonly kind: 'shared'; readonly asset: Asset }
  | { readonly kind: 'lost'; readonly claim: Claim }
  /** The asset is stored all the same. */
  | { readonly kind: 'mismatch'; readonly asset: Asset; readonly types: TypeMismatch }
  | ({ readonly kind: 'breaker' } & BreakerChange)
  /** The store said that it is asked too much: the whole fleet's uploads pause. */
  | { readonly kind: 'paused'; readonly milliseconds: number }
  /** A bug of ours. */
  | { readonly kind: 'broken'; readonly asset: Asset; readonly error: unknown };

/** A job under way, for the operator. */
export interface Job {
  readonly asset: Asset;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Undefined while the origin is examined. */
  readonly via: 'remote-url' | 'bytes' | undefined;
  /** Bytes of the origin's object read by us so far. */
  readonly bytes: number;
}

/** Jobs that may wait in a process; see `Bounds`. */
const queueLimit = 10_000;

/** The migration of assets in this process: the stack of decorators, and what the operator may ask of it. */
export class Migration {
  readonly #options: MigrationOptions;
  readonly #flights: SingleFlight;
  readonly #bounded: Bounded;
  readonly #guarded: Guarded;
  readonly #pace: Pace;
  readonly #stopping = new AbortController();
  readonly #abort = new AbortController();
  readonly #jobs = new Map<string, { asset: Asset; startedAt: number; via: Job['via'] }>();

  constructor(options: MigrationOptions) {
    this.#options = options;
    const monotonic = () => performance.now();
    this.#pace = new Pace({
      ledger: options.ledger,
      most: options.concurrency,
      now: monotonic,
      random: options.random,
      onPause: (milliseconds) => options.observe({ kind: 'paused', milliseconds }),
    });
    const attempt = createAttempt({
      ...options,
      onRateLimited: (forMs) => this.#pace.limited(forMs),
      onMismatch: (asset, types) => options.observe({ kind: 'mismatch', asset, types }),
      onProgress: (asset, via) => {
        const job = this.#jobs.get(encodeAssetKey(asset.key));
        if (job !== undefined) job.via = via;
      },
    });
    const claimed = new Claimed({
      ledger: options.ledger,
      owner: options.owner,
      leaseMs: options.leaseMs,
      signal: this.#abort.signal,
      onLost: (claim) => options.observe({ kind: 'lost', claim }),
      attempt: async (asset, context) => {
        const id = encodeAssetKey(asset.key);
        this.#jobs.set(id, { asset, startedAt: options.now(), via: undefined });
        return attempt(asset, context).finally(() => this.#jobs.delete(id));
      },
    });
    this.#guarded = new Guarded(claimed, {
      now: monotonic,
      onChange: (change) => options.observe({ kind: 'breaker', ...change }),
    });
    const paced = new Paced(this.#guarded, this.#pace, this.#stopping.signal);
    this.#bounded = new Bounded(paced, { concurrency: () => this.#pace.slots, queue: queueLimit });
    this.#flights = new SingleFlight(this.#bounded);
  }

  /** Brings the asset to the store, or joins the job that does. Rejects only by a bug. */
  async migrate(request: MigrationRequest): Promise<MigrationOutcome> {
    const { observe, now } = this.#options;
    const { asset } = request;
    if (this.#flights.has(asset.key)) {
      observe({ kind: 'shared', asset });
      return this.#flights.migrate(request);
    }
    const startedAt = now();
    try {
      const outcome = await this.#flights.migrate(request);
      observe({ kind: 'ended', asset, outcome, milliseconds: now() - startedAt });
      return outcome;
    } catch (error) {
      observe({ kind: 'broken', asset, error });
      throw error;
    }
  }

  /** For delivery: `migrate`, with what the ledger says afterwards; undefined where it cannot tell. Never rejects. */
  async ensure(asset: Asset, redo?: 'lost' | 'revalidate'): Promise<AssetRecord | undefined> {
    try {
      const outcome = await this.migrate(redo === undefined ? { asset } : { asset, redo });
      return outcome.kind === 'postponed' ? undefined : outcome.record;
    } catch {
      return undefined;
    }
  }

  jobs(): readonly Job[] {
    return [...this.#jobs].map(([id, job]) => ({ ...job, bytes: this.#options.reads.current(id)?.received ?? 0 }));
  }

  /** Milliseconds that the fleet's uploads pause still; 0: they do not. */
  get pausedFor(): number {
    return this.#pace.pausedFor;
  }

  /** Circuit breakers that are open in this process. */
  breakers(): readonly BreakerChange[] {
    return this.#guarded.open();
  }

  /** Jobs that wait for a slot. */
  get queued(): number {
    return this.#bounded.queued;
  }

  /**
   * Starts nothing any more and lets the jobs under way finish; what is not finished after `graceMs` gives its claim
   * back, so that another process can start at once.
   */
  async stop(graceMs: number): Promise<void> {
    this.#bounded.stop();
    this.#stopping.abort();
    const spent = setTimeout(() => this.#abort.abort(), graceMs);
    await this.#flights.idle();
    clearTimeout(spent);
  }
}
