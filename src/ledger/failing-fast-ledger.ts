import type { AssetKey } from '../asset/key.ts';
import type { AssetRecord } from '../asset/record.ts';
import {
  type Claim,
  type ClaimRequest,
  type ClaimResult,
  type DutyRequest,
  type IdleRule,
  type Ledger,
  type LedgerNews,
  type LedgerPage,
  type LedgerQuery,
  type LedgerTally,
  LedgerUnavailable,
  type Settlement,
} from './ledger.ts';
import { NewsDesk } from './news-desk.ts';

export interface FailingFastOptions {
  readonly warn?: (message: string) => void;
  /** The first probe comes after this long, each further one after twice as long, to a second at most. */
  readonly firstProbeMs?: number;
}

const slowestProbeMs = 1_000;

/**
 * Asks a ledger that is down only now and then. One unanswered question costs up to the driver's timeout; without this
 * every request would pay it. While the ledger is down, whatever a client's request would wait for is rejected at
 * once, and one probe at a time finds out when it is back. What ends a claim is always tried: nobody waits for it.
 */
export class FailingFastLedger implements Ledger {
  readonly #below: Ledger;
  readonly #firstProbeMs: number;
  readonly #warn: (message: string) => void;
  readonly #desk: NewsDesk;
  #trouble: LedgerUnavailable | undefined;
  #probe: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(below: Ledger, { warn = () => {}, firstProbeMs = 100 }: FailingFastOptions = {}) {
    this.#below = below;
    this.#firstProbeMs = firstProbeMs;
    this.#warn = warn;
    this.#desk = new NewsDesk(warn);
  }

  /** Whether the ledger could not be reached when it was last asked. */
  get down(): boolean {
    return this.#trouble !== undefined;
  }

  lookup(key: AssetKey): Promise<AssetRecord | undefined> {
    return this.#unlessDown(() => this.#below.lookup(key));
  }

  claim(request: ClaimRequest): Promise<ClaimResult> {
    return this.#unlessDown(() => this.#below.claim(request));
  }

  renew(claim: Claim, leaseMs: number): Promise<boolean> {
    return this.#noticing(() => this.#below.renew(claim, leaseMs));
  }

  settle(claim: Claim, settlement: Settlement): Promise<'settled' | 'stale'> {
    return this.#noticing(() => this.#below.settle(claim, settlement));
  }

  release(claim: Claim): Promise<'released' | 'stale'> {
    return this.#noticing(() => this.#below.release(claim));
  }

  tombstone(key: AssetKey, originUrl: string): Promise<void> {
    return this.#noticing(() => this.#below.tombstone(key, originUrl));
  }

  forget(key: AssetKey): Promise<boolean> {
    return this.#noticing(() => this.#below.forget(key));
  }

  query(query: LedgerQuery): Promise<LedgerPage> {
    return this.#unlessDown(() => this.#below.query(query));
  }

  due(limit: number): Promise<readonly AssetRecord[]> {
    return this.#unlessDown(() => this.#below.due(limit));
  }

  dropIdle(rule: IdleRule, limit: number): Promise<number> {
    return this.#unlessDown(() => this.#below.dropIdle(rule, limit));
  }

  tally(): Promise<readonly LedgerTally[]> {
    return this.#unlessDown(() => this.#below.tally());
  }

  restore(record: AssetRecord): Promise<boolean> {
    return this.#noticing(() => this.#below.restore(record));
  }

  takeDuty(request: DutyRequest): Promise<boolean> {
    return this.#unlessDown(() => this.#below.takeDuty(request));
  }

  pause(forMs: number): Promise<void> {
    return this.#unlessDown(() => this.#below.pause(forMs));
  }

  pausedFor(): Promise<number> {
    return this.#unlessDown(() => this.#below.pausedFor());
  }

  /** Also told that anything may have changed when the ledger is back. */
  subscribe(listener: (news: LedgerNews) => void): () => void {
    const stopBelow = this.#below.subscribe(listener);
    const stopHere = this.#desk.add(listener);
    return () => {
      stopBelow();
      stopHere();
    };
  }

  ping(): Promise<void> {
    return this.#noticing(() => this.#below.ping());
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#probe);
    await this.#below.close();
  }

  #unlessDown<Result>(step: () => Promise<Result>): Promise<Result> {
    if (this.#trouble !== undefined) return Promise.reject(this.#trouble);
    return this.#noticing(step);
  }

  async #noticing<Result>(step: () => Promise<Result>): Promise<Result> {
    try {
      return await step();
    } catch (error) {
      if (error instanceof LedgerUnavailable) this.#goDown(error);
      throw error;
    }
  }

  #goDown(trouble: LedgerUnavailable): void {
    const known = this.down;
    this.#trouble = trouble;
    if (known || this.#closed) return;
    this.#warn(`${trouble.message}; known copies are served from memory, the rest from the origin, until it is back`);
    this.#probeAfter(this.#firstProbeMs);
  }

  #probeAfter(delayMs: number): void {
    if (this.#closed) return;
    this.#probe = setTimeout(() => {
      this.#below.ping().then(
        () => {
          this.#trouble = undefined;
          this.#warn('the ledger is back');
          this.#desk.tell({});
        },
        () => this.#probeAfter(Math.min(delayMs * 2, slowestProbeMs)),
      );
    }, delayMs).unref();
  }
}
