import { type AssetKey, decodeAssetKey, encodeAssetKey } from '../../asset/key.ts';
import type { AssetRecord } from '../../asset/record.ts';
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
} from '../ledger.ts';
import { addUp } from '../tally-lines.ts';
import {
  type Cell,
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
import { parseRedisUrl } from './address.ts';
import { decodeCell, encodeCell, type StoredCell } from './cell-codec.ts';
import { type ConnectionOptions, connect, type RedisConnection } from './connection.ts';
import { toEntries } from './entries.ts';
import { findIdle } from './idle.ts';
import { type Bucket, bucketOf, type Layout, layoutOf } from './layout.ts';
import { RedisNews } from './news.ts';
import { readPage } from './pages.ts';
import { readTallies, tallyChanges } from './tallies.ts';
import { toUnavailable } from './unavailable.ts';

export interface RedisLedgerOptions {
  /** As `parseRedisUrl` reads it. */
  readonly url: string;
  /** How long a command may go unanswered. */
  readonly commandTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  readonly warn?: (message: string) => void;
}

/** Each lost race means that somebody else got something done: this many in a row is no race any more. */
const mostRaces = 100;

/**
 * A ledger in Redis (single server, Sentinel, Cluster), shared by a fleet (`docs/protocol.md`). It connects by itself,
 * now and after each loss; until then every call rejects at once.
 *
 * @throws {TypeError} when the URL cannot be read
 */
export function openRedisLedger(options: RedisLedgerOptions): Ledger {
  return new RedisLedger(options);
}

class RedisLedger implements Ledger {
  readonly #connection: RedisConnection;
  readonly #layout: Layout;
  readonly #news: RedisNews;
  readonly #warn: (message: string) => void;

  constructor({ url, commandTimeoutMs = 500, connectTimeoutMs = 2_000, warn = () => {} }: RedisLedgerOptions) {
    const address = parseRedisUrl(url);
    const options: ConnectionOptions = { commandTimeoutMs, connectTimeoutMs, warn };
    this.#layout = layoutOf(address.prefix);
    this.#connection = connect(address, options);
    this.#news = new RedisNews(this.#layout.newsChannel, () => connect(address, options), warn);
    this.#warn = warn;
    this.#connection.client.on('ready', () => void this.#checkEviction());
  }

  lookup(key: AssetKey): Promise<AssetRecord | undefined> {
    return this.#attempt(async () => {
      const field = encodeAssetKey(key);
      const value = await this.#connection.commands.hgetBuffer(bucketOf(this.#layout, field).assets, field);
      return value === null ? undefined : this.#decode(field, value)?.record;
    });
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
    return this.#change(key, tombstoneAsset(key, originUrl));
  }

  forget(key: AssetKey): Promise<boolean> {
    return this.#change(key, forgetAsset());
  }

  query(query: LedgerQuery): Promise<LedgerPage> {
    return this.#attempt(async () => {
      if (query.states?.length === 0 || query.reasons?.length === 0) return { records: [] };
      return readPage(
        {
          commands: this.#connection.commands,
          layout: this.#layout,
          decode: (field, value) => this.#decode(field, value),
        },
        query,
      );
    });
  }

  due(limit: number): Promise<readonly AssetRecord[]> {
    return this.#attempt(async () => {
      const found = await Promise.all(
        this.#layout.buckets.map(({ assets, due }) => this.#connection.commands.dueCellsBuffer(assets, due, limit)),
      );
      // From another bucket each time, so that a limit smaller than what is due favours none.
      const start = Math.floor(Math.random() * found.length);
      return [...found.slice(start), ...found.slice(0, start)]
        .flatMap(toEntries)
        .slice(0, limit)
        .flatMap(({ field, value }) => this.#decode(field, value)?.record ?? []);
    });
  }

  dropIdle(rule: IdleRule, limit: number): Promise<number> {
    return this.#attempt(async () => {
      const idle = await findIdle(this.#connection.commands, this.#layout, rule, limit);
      const dropped = await Promise.all(
        idle.map(({ field, since }) => this.#change(decodeAssetKey(field), dropIdleAsset(since))),
      );
      return dropped.filter(Boolean).length;
    });
  }

  tally(): Promise<readonly LedgerTally[]> {
    return this.#attempt(async () => addUp((await readTallies(this.#connection.commands, this.#layout)).flat()));
  }

  restore(record: AssetRecord): Promise<boolean> {
    return this.#change(record.key, restoreRecord(record));
  }

  takeDuty({ duty, owner, leaseMs }: DutyRequest): Promise<boolean> {
    return this.#attempt(async () => {
      return (await this.#connection.commands.takeDuty(this.#layout.duty + duty, owner, leaseMs)) === 1;
    });
  }

  pause(forMs: number): Promise<void> {
    return this.#attempt(async () => {
      await this.#connection.commands.keepFor(this.#layout.pause, Math.max(1, Math.ceil(forMs)));
    });
  }

  pausedFor(): Promise<number> {
    return this.#attempt(async () => Math.max(0, await this.#connection.commands.pttl(this.#layout.pause)));
  }

  subscribe(listener: (news: LedgerNews) => void): () => void {
    return this.#news.subscribe(listener);
  }

  ping(): Promise<void> {
    return this.#attempt(async () => {
      await this.#connection.commands.ping();
    });
  }

  async close(): Promise<void> {
    this.#news.close();
    this.#connection.close();
  }

  async #change<Answer>(key: AssetKey, transition: Transition<Answer>): Promise<Answer> {
    const field = encodeAssetKey(key);
    const bucket = bucketOf(this.#layout, field);
    for (let race = 0; race < mostRaces; race += 1) {
      const read = await this.#attempt(() => this.#readCell(bucket, field));
      const { answer, write, quiet } = transition(read.cell, read.now);
      if (write === undefined) return answer;
      const next = write === 'drop' ? undefined : write;
      const replaced = await this.#attempt(() =>
        this.#connection.commands.replaceCell(
          bucket.assets,
          bucket.due,
          bucket.tally,
          bucket.idle,
          field,
          read.value ?? '',
          next === undefined ? '' : encodeCell(field, next),
          next?.dueAt ?? '',
          next?.idleSince ?? '',
          read.now,
          read.cell.token,
          quiet === true ? '' : this.#layout.newsChannel,
          ...tallyChanges(read.cell.record, next?.record),
        ),
      );
      if (replaced === 1) return answer;
    }
    throw new LedgerUnavailable(`the ledger's Redis: ${mostRaces} others in a row changed the same asset`);
  }

  async #readCell(bucket: Bucket, field: string): Promise<{ now: number; value: Buffer | null; cell: Cell }> {
    const [now, value, forgotten] = await this.#connection.commands.readCellBuffer(bucket.assets, bucket.tally, field);
    const stored = value === null ? undefined : this.#decode(field, value);
    const token = stored?.token ?? Number(forgotten ?? 0);
    return { now: Number(now), value, cell: { record: stored?.record, token } };
  }

  /** A value that nobody can read is as good as none: the store is asked before anything is uploaded again. */
  #decode(field: string, value: Buffer): StoredCell | undefined {
    try {
      return decodeCell(field, value);
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      this.#warn(`the ledger's Redis holds a record that cannot be read; it counts as missing: ${field} (${said})`);
      return undefined;
    }
  }

  async #attempt<Result>(step: () => Promise<Result>): Promise<Result> {
    await this.#connection.attempted;
    try {
      return await step();
    } catch (error) {
      throw toUnavailable(error);
    }
  }

  async #checkEviction(): Promise<void> {
    const memory = await this.#connection.commands.info('memory').catch(() => '');
    const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
    if (policy === undefined || policy === 'noeviction') return;
    this.#warn(
      `the ledger's Redis has maxmemory-policy ${policy}: under memory pressure it would forget assets, and they would be asked for at the store again; set it to noeviction`,
    );
  }
}
