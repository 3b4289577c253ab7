import type { AssetKey } from '../../asset/key.ts';
import type { AssetRecord } from '../../asset/record.ts';
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
} from '../ledger.ts';
import { addUp, type TallyLine } from '../tally-lines.ts';
import {
  type Change,
  claimAsset,
  dropIdleAsset,
  forgetAsset,
  releaseClaim,
  renewClaim,
  restoreRecord,
  settleClaim,
  type Transition,
  tombstoneAsset,
} from '../transitions.ts';
import { ChangeFeed } from './change-feed.ts';
import { Connection } from './connection.ts';
import { pause, pausedFor, takeDuty } from './fleet.ts';
import { readPage } from './pages.ts';
import { dropCell, readCell, readRecord, recordColumns, toRecord, writeCell } from './rows.ts';

export interface SqliteLedgerOptions {
  /** The file; its folder is made where it is missing. */
  readonly path: string;
  /** Milliseconds since the epoch. All processes of one machine share its clock. */
  readonly now?: () => number;
  /** How long a step waits for a lock that somebody else holds. */
  readonly lockWaitMs?: number;
  /** How often other processes' changes are looked for while anybody listens. */
  readonly pollMs?: number;
  readonly warn?: (message: string) => void;
}

/**
 * A ledger in one SQLite file, shared by all processes of one machine (`docs/protocol.md`). Opened when first used:
 * trouble with the file rejects the calls, `ping` among them, and ends when the file is mended.
 */
export function openSqliteLedger(options: SqliteLedgerOptions): Ledger {
  return new SqliteLedger(options);
}

class SqliteLedger implements Ledger {
  readonly #connection: Connection;
  readonly #feed: ChangeFeed;
  readonly #now: () => number;

  constructor({ path, now = Date.now, lockWaitMs = 1_000, pollMs = 50, warn = () => {} }: SqliteLedgerOptions) {
    this.#connection = new Connection({ path, lockWaitMs });
    this.#feed = new ChangeFeed(this.#connection, pollMs, warn);
    this.#now = now;
  }

  lookup(key: AssetKey): Promise<AssetRecord | undefined> {
    return this.#connection.read(() => readRecord(this.#connection, key));
  }

  claim(request: ClaimRequest): Promise<ClaimResult> {
    return this.#change(request.key, claimAsset(request));
  }

  renew(claim: Claim, leaseMs: number): Promise<boolean> {
    return this.#change(claim.key, renewClaim(claim, leaseMs));
  }

  settle(claim: Claim, settlement: Settlement): Promise<'settled' | 'stale'> {
    return this.#change(claim.key, settleClaim(claim, settlement));
  }

  release(claim: Claim): Promise<'released' | 'stale'> {
    return this.#change(claim.key, releaseClaim(claim));
  }

  tombstone(key: AssetKey, originUrl: string): Promise<void> {
    return this.#change(key, tombstoneAsset(key, originUrl), { durably: true });
  }

  forget(key: AssetKey): Promise<boolean> {
    return this.#change(key, forgetAsset(), { durably: true });
  }

  async query(query: LedgerQuery): Promise<LedgerPage> {
    return this.#connection.read(() => readPage(this.#connection, query));
  }

  due(limit: number): Promise<readonly AssetRecord[]> {
    return this.#connection.read(() =>
      this.#connection
        .prepare(`SELECT ${recordColumns} FROM assets WHERE due <= ? ORDER BY due LIMIT ?`)
        .all(this.#now(), limit)
        .map(toRecord),
    );
  }

  dropIdle({ keepMs, most }: IdleRule, limit: number): Promise<number> {
    return this.#connection.write(() => {
      const cutoff = this.#now() - keepMs;
      const { excess } = this.#connection
        .prepare('SELECT count(*) - ? AS excess FROM assets WHERE idle IS NOT NULL')
        .get(most) as { excess: number };
      const found = this.#connection
        .prepare(`SELECT ${recordColumns}, idle FROM assets WHERE idle IS NOT NULL ORDER BY idle LIMIT ?`)
        .all(limit);
      const dropped = found.filter(({ idle }, index) => Number(idle) < cutoff || index < excess);
      for (const row of dropped) this.#apply(toRecord(row).key, dropIdleAsset(Number(row.idle)));
      return dropped.length;
    });
  }

  tally(): Promise<readonly LedgerTally[]> {
    return this.#connection.read(() => {
      const states = this.#connection.prepare('SELECT mapping, state, assets, bytes FROM tally').all();
      const failures = this.#connection.prepare('SELECT mapping, reason, assets FROM failure_tally').all();
      return addUp([...states, ...failures] as unknown as TallyLine[]);
    });
  }

  restore(record: AssetRecord): Promise<boolean> {
    return this.#change(record.key, restoreRecord(record));
  }

  takeDuty(request: DutyRequest): Promise<boolean> {
    return this.#connection.write(() => takeDuty(this.#connection, request, this.#now()));
  }

  pause(forMs: number): Promise<void> {
    return this.#connection.write(() => pause(this.#connection, forMs, this.#now()));
  }

  pausedFor(): Promise<number> {
    return this.#connection.read(() => pausedFor(this.#connection, this.#now()));
  }

  subscribe(listener: (news: LedgerNews) => void): () => void {
    return this.#feed.subscribe(listener);
  }

  ping(): Promise<void> {
    return this.#connection.read(() => {
      this.#connection.prepare('SELECT 1 FROM forgotten').get();
    });
  }

  async close(): Promise<void> {
    this.#feed.stop();
    this.#connection.close();
  }

  async #change<Answer>(key: AssetKey, transition: Transition<Answer>, { durably = false } = {}): Promise<Answer> {
    const { answer, write, quiet } = await this.#connection.write(() => this.#apply(key, transition), durably);
    if (write !== undefined && quiet !== true) await this.#feed.tellNow();
    return answer;
  }

  #apply<Answer>(key: AssetKey, transition: Transition<Answer>): Change<Answer> {
    const cell = readCell(this.#connection, key);
    const change = transition(cell, this.#now());
    if (change.write === 'drop') dropCell(this.#connection, key, cell.token);
    else if (change.write !== undefined) writeCell(this.#connection, change.write);
    if (change.write !== undefined && change.quiet !== true) this.#feed.record(key);
    return change;
  }
}
