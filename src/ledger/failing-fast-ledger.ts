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
/** Everybody's, so that none waits for another's. */
const probeDuty = { duty: 'probe', owner: 'probe', leaseMs: 1 } as const;

/** What did not work, and a question that shows whether it works again. */
interface Trouble {
  readonly error: LedgerUnavailable;
  readonly askAgain: () => Promise<unknown>;
}

/**
 * Asks a ledger that is down only now and then. One unanswered question costs up to the driver's timeout; without this
 * every request would pay it. While the ledger does not answer, whatever a client's request would wait for is rejected
 * at once, and one probe at a time finds out when it is back. What ends a claim is always tried: nobody waits for it.
 *
 * A ledger can answer and still not do its work: one that is out of memory, locked or a read-only replica is read but
 * not written, and a Cluster with a lost node knows some assets only. So trouble with reading and trouble with writing
 * are kept apart, and each ends when the very thing works again. Meanwhile everything is tried, because a refusal costs
 * nobody a wait, and the log has one line for the beginning and one for the end.
 */
export class FailingFastLedger implements Ledger {
  readonly #below: Ledger;
  readonly #firstProbeMs: number;
  readonly #warn: (message: string) => void;
  readonly #desk: NewsDesk;
  #answers = true;
  #reading: Trouble | undefined;
  #writing: Trouble | undefined;
  #probe: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(below: Ledger, { warn = () => {}, firstProbeMs = 100 }: FailingFastOptions = {}) {
    this.#below = below;
    this.#firstProbeMs = firstProbeMs;
    this.#warn = warn;
    this.#desk = new NewsDesk(warn);
  }

  /** Whether what the ledger knows cannot be read. */
  get down(): boolean {
    return this.#reading !== undefined;
  }

  lookup(key: AssetKey): Promise<AssetRecord | undefined> {
    return this.#read(() => this.#below.lookup(key), true);
  }

  claim(request: ClaimRequest): Promise<ClaimResult> {
    return this.#write(() => this.#below.claim(request));
  }

  renew(claim: Claim, leaseMs: number): Promise<boolean> {
    return this.#alwaysWrite(() => this.#below.renew(claim, leaseMs));
  }

  settle(claim: Claim, settlement: Settlement): Promise<'settled' | 'stale'> {
    return this.#alwaysWrite(() => this.#below.settle(claim, settlement));
  }

  release(claim: Claim): Promise<'released' | 'stale'> {
    return this.#alwaysWrite(() => this.#below.release(claim));
  }

  tombstone(key: AssetKey, originUrl: string): Promise<void> {
    return this.#alwaysWrite(() => this.#below.tombstone(key, originUrl));
  }

  forget(key: AssetKey): Promise<boolean> {
    return this.#alwaysWrite(() => this.#below.forget(key));
  }

  query(query: LedgerQuery): Promise<LedgerPage> {
    return this.#read(() => this.#below.query(query));
  }

  due(limit: number): Promise<readonly AssetRecord[]> {
    return this.#read(() => this.#below.due(limit));
  }

  dropIdle(rule: IdleRule, limit: number): Promise<number> {
    return this.#write(() => this.#below.dropIdle(rule, limit));
  }

  tally(): Promise<readonly LedgerTally[]> {
    return this.#read(() => this.#below.tally());
  }

  restore(record: AssetRecord): Promise<boolean> {
    return this.#alwaysWrite(() => this.#below.restore(record));
  }

  takeDuty(request: DutyRequest): Promise<boolean> {
    return this.#write(() => this.#below.takeDuty(request));
  }

  pause(forMs: number): Promise<void> {
    return this.#write(() => this.#below.pause(forMs));
  }

  pausedFor(): Promise<number> {
    return this.#read(() => this.#below.pausedFor());
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

  /** Rejects also while the ledger answers, but not what it is asked. */
  async ping(): Promise<void> {
    try {
      await this.#below.ping();
    } catch (error) {
      this.#notice(error, 'read', () => this.#below.ping());
      throw error;
    }
    if (this.#reading !== undefined) throw this.#reading.error;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#probe);
    await this.#below.close();
  }

  /** @param repeatable the probe asks the same again, because a mere ping may be answered where this is not */
  async #read<Result>(step: () => Promise<Result>, repeatable = false): Promise<Result> {
    this.#failFast();
    try {
      return await step();
    } catch (error) {
      this.#notice(error, 'read', repeatable ? step : () => this.#below.ping());
      throw error;
    }
  }

  async #write<Result>(step: () => Promise<Result>): Promise<Result> {
    this.#failFast();
    return this.#alwaysWrite(step);
  }

  async #alwaysWrite<Result>(step: () => Promise<Result>): Promise<Result> {
    try {
      return await step();
    } catch (error) {
      this.#notice(error, 'write', () => this.#below.takeDuty(probeDuty));
      throw error;
    }
  }

  #failFast(): void {
    const trouble = this.#reading ?? this.#writing;
    if (!this.#answers && trouble !== undefined) throw trouble.error;
  }

  #notice(error: unknown, step: 'read' | 'write', askAgain: () => Promise<unknown>): void {
    if (!(error instanceof LedgerUnavailable) || this.#closed) return;
    const well = this.#reading === undefined && this.#writing === undefined;
    const trouble: Trouble = { error, askAgain };
    if (step === 'write') {
      this.#writing ??= trouble;
    } else if (this.#reading === undefined) {
      this.#reading = trouble;
      // Nobody else need wait for the same until the probe has found out whether it answers at all.
      this.#answers = false;
    }
    if (!well) return;
    const meanwhile =
      step === 'read'
        ? 'known copies are served from memory, the rest from the origin'
        : 'what is stored is served as always, and uploads pause';
    this.#warn(`${error.message}; ${meanwhile}, until it is back`);
    this.#probeAfter(this.#firstProbeMs);
  }

  #probeAfter(delayMs: number): void {
    if (this.#closed) return;
    this.#probe = setTimeout(async () => {
      if (!(await this.#isBack())) return this.#probeAfter(Math.min(delayMs * 2, slowestProbeMs));
      this.#warn('the ledger is back');
      this.#desk.tell({});
    }, delayMs).unref();
  }

  async #isBack(): Promise<boolean> {
    this.#answers = await works(() => this.#below.ping());
    if (!this.#answers) return false;
    if (this.#reading !== undefined && (await works(this.#reading.askAgain))) this.#reading = undefined;
    if (this.#writing !== undefined && (await works(this.#writing.askAgain))) this.#writing = undefined;
    return this.#reading === undefined && this.#writing === undefined;
  }
}

async function works(question: () => Promise<unknown>): Promise<boolean> {
  return question().then(
    () => true,
    (error: unknown) => !(error instanceof LedgerUnavailable),
  );
}
