import { LRUCache } from 'lru-cache';
import { type AssetKey, encodeAssetKey } from '../asset/key.ts';
import type { AssetRecord } from '../asset/record.ts';
import type { FailingFastLedger } from './failing-fast-ledger.ts';
import type {
  Claim,
  ClaimRequest,
  ClaimResult,
  DutyRequest,
  IdleRule,
  Ledger,
  LedgerNews,
  LedgerPage,
  LedgerQuery,
  LedgerTally,
  Settlement,
} from './ledger.ts';

export interface RememberingOptions {
  /** Most records remembered; 0: none. */
  readonly capacity: number;
  /** How long a record counts without asking again, milliseconds: the bound on news that got lost. */
  readonly ttlMs: number;
}

/**
 * Clients choose how long paths are, and origins what they say of an object: a memory full of the longest would be forty
 * times as large as one of the usual. So characters are counted, too; with usual records their number is the limit.
 */
const charactersPerRecord = 2_048;

/** The path stands in the key, its encoded form, the origin's URL and the public ID. */
function charactersOf(id: string, { origin = {} }: AssetRecord): number {
  const said = Object.values(origin).reduce<number>((sum, fact) => sum + String(fact).length, 0);
  return 512 + id.length * 4 + said;
}

interface Remembered {
  readonly record: AssetRecord;
  /** By `performance.now()`. */
  readonly freshUntil: number;
  /** What was learnt before "anything may have changed" counts only while the ledger is down. */
  readonly era: number;
}

interface Flight {
  readonly found: Promise<AssetRecord | undefined>;
  outdated: boolean;
}

/**
 * The ledger with the settled facts of lately asked assets in memory: what answers a warm hit without waiting. Claims
 * are never remembered. While the ledger below is down, copies once proven are served on, however old the memory.
 */
export class RememberingLedger implements Ledger {
  readonly #below: FailingFastLedger;
  readonly #memory: LRUCache<string, Remembered> | undefined;
  readonly #ttlMs: number;
  /** Lookups under way: what everybody waits for together. */
  readonly #flights = new Map<string, Flight>();
  readonly #unsubscribe: () => void;
  #era = 0;

  constructor(below: FailingFastLedger, { capacity, ttlMs }: RememberingOptions) {
    this.#below = below;
    this.#memory =
      capacity === 0
        ? undefined
        : new LRUCache({
            max: capacity,
            maxSize: capacity * charactersPerRecord,
            sizeCalculation: ({ record }, id) => charactersOf(id, record),
          });
    this.#ttlMs = ttlMs;
    this.#unsubscribe = below.subscribe((news) => this.#hear(news));
  }

  /** What memory knows of an encoded key, without waiting: the hot path. */
  peek(id: string): AssetRecord | undefined {
    const remembered = this.#memory?.get(id);
    if (remembered === undefined) return undefined;
    const { record, era, freshUntil } = remembered;
    if (era === this.#era && performance.now() < freshUntil) return record;
    return this.#below.down && (record.copy !== undefined || record.state === 'tombstoned') ? record : undefined;
  }

  async lookup(key: AssetKey): Promise<AssetRecord | undefined> {
    const id = encodeAssetKey(key);
    return this.peek(id) ?? this.#ask(id, key);
  }

  async claim(request: ClaimRequest): Promise<ClaimResult> {
    const result = await this.#below.claim(request);
    if (result.kind !== 'settled') this.#drop(encodeAssetKey(request.key));
    return result;
  }

  renew(claim: Claim, leaseMs: number): Promise<boolean> {
    return this.#below.renew(claim, leaseMs);
  }

  settle(claim: Claim, settlement: Settlement): Promise<'settled' | 'stale'> {
    return this.#changing(claim.key, this.#below.settle(claim, settlement));
  }

  release(claim: Claim): Promise<'released' | 'stale'> {
    return this.#changing(claim.key, this.#below.release(claim));
  }

  tombstone(key: AssetKey, originUrl: string): Promise<void> {
    return this.#changing(key, this.#below.tombstone(key, originUrl));
  }

  forget(key: AssetKey): Promise<boolean> {
    return this.#changing(key, this.#below.forget(key));
  }

  query(query: LedgerQuery): Promise<LedgerPage> {
    return this.#below.query(query);
  }

  due(limit: number): Promise<readonly AssetRecord[]> {
    return this.#below.due(limit);
  }

  dropIdle(rule: IdleRule, limit: number): Promise<number> {
    return this.#below.dropIdle(rule, limit);
  }

  tally(): Promise<readonly LedgerTally[]> {
    return this.#below.tally();
  }

  restore(record: AssetRecord): Promise<boolean> {
    return this.#changing(record.key, this.#below.restore(record));
  }

  takeDuty(request: DutyRequest): Promise<boolean> {
    return this.#below.takeDuty(request);
  }

  pause(forMs: number): Promise<void> {
    return this.#below.pause(forMs);
  }

  pausedFor(): Promise<number> {
    return this.#below.pausedFor();
  }

  /** Listeners hear of a change after memory has dropped what it knew. */
  subscribe(listener: (news: LedgerNews) => void): () => void {
    return this.#below.subscribe(listener);
  }

  ping(): Promise<void> {
    return this.#below.ping();
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    this.#memory?.clear();
    await this.#below.close();
  }

  #ask(id: string, key: AssetKey): Promise<AssetRecord | undefined> {
    const underWay = this.#flights.get(id);
    if (underWay !== undefined) return underWay.found;
    const found = this.#below.lookup(key).then(
      (record) => {
        this.#land(id, flight);
        if (record !== undefined && !flight.outdated) this.#remember(id, record);
        return record;
      },
      (error: unknown) => {
        this.#land(id, flight);
        throw error;
      },
    );
    const flight: Flight = { found, outdated: false };
    this.#flights.set(id, flight);
    return found;
  }

  #land(id: string, flight: Flight): void {
    if (this.#flights.get(id) === flight) this.#flights.delete(id);
  }

  async #changing<Result>(key: AssetKey, change: Promise<Result>): Promise<Result> {
    try {
      return await change;
    } finally {
      // Also after an error: the change may have been made and only its answer lost.
      this.#drop(encodeAssetKey(key));
    }
  }

  #hear({ key }: LedgerNews): void {
    if (key !== undefined) {
      this.#drop(encodeAssetKey(key));
      return;
    }
    this.#era += 1;
    for (const flight of this.#flights.values()) flight.outdated = true;
    this.#flights.clear();
  }

  /** A changed record is gone at once, down or not: its copy may have been removed. */
  #drop(id: string): void {
    this.#memory?.delete(id);
    const flight = this.#flights.get(id);
    if (flight === undefined) return;
    flight.outdated = true;
    this.#flights.delete(id);
  }

  #remember(id: string, record: AssetRecord): void {
    if (record.state === 'claimed' || record.state === 'known') return;
    const ttlMs =
      record.copy === undefined && record.failure !== undefined
        ? Math.min(this.#ttlMs, record.failure.retryAt - Date.now())
        : this.#ttlMs;
    if (ttlMs <= 0) return;
    this.#memory?.set(id, { record, era: this.#era, freshUntil: performance.now() + ttlMs });
  }
}
