import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DeliveryType, ResourceType, StoreIdentity } from '../../asset/record.ts';
import type { Asset } from './asset.ts';
import { transaction } from './database.ts';

export interface AssetQuery {
  readonly resourceType: ResourceType;
  readonly deliveryType?: DeliveryType;
  readonly prefix?: string;
  readonly publicIds?: readonly string[];
  readonly tag?: string;
  /** Key, or key and value, of the custom context. */
  readonly context?: { readonly key: string; readonly value?: string };
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string;
}

export interface AssetPage {
  readonly assets: readonly Asset[];
  readonly next?: string;
}

export interface IndexTotals {
  readonly assets: number;
  readonly bytes: number;
}

/** The index of public IDs: which asset stands under which identity. Every method is atomic and durable. */
export class AssetIndex {
  readonly #database: DatabaseSync;
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #references: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#get = database.prepare(
      'SELECT record FROM assets WHERE resource_type = ? AND delivery_type = ? AND public_id = ?',
    );
    this.#put = database.prepare(
      `INSERT OR REPLACE INTO assets (resource_type, delivery_type, public_id, asset_id, sha256, bytes, created_at, record)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#delete = database.prepare(
      'DELETE FROM assets WHERE resource_type = ? AND delivery_type = ? AND public_id = ?',
    );
    this.#references = database.prepare('SELECT count(*) AS n FROM assets WHERE sha256 = ?');
  }

  get(identity: StoreIdentity): Asset | undefined {
    return readRecord(this.#get.get(identity.resourceType, identity.deliveryType, identity.publicId));
  }

  getByAssetId(assetId: string): Asset | undefined {
    return readRecord(this.#database.prepare('SELECT record FROM assets WHERE asset_id = ?').get(assetId));
  }

  /**
   * Decides and writes in one step: `decide` sees what stands there now and gives what shall stand there; giving the
   * present asset changes nothing.
   */
  update(identity: StoreIdentity, decide: (present: Asset | undefined) => Asset): Asset {
    return transaction(this.#database, () => {
      const present = this.get(identity);
      const next = decide(present);
      if (next !== present) this.#write(next);
      this.unmarkPending(next.sha256);
      return next;
    });
  }

  /** Changes what is known of an asset that is there, not its bytes; undefined when it is not there. */
  revise(identity: StoreIdentity, change: (present: Asset) => Asset): Asset | undefined {
    return transaction(this.#database, () => {
      const present = this.get(identity);
      if (present === undefined) return undefined;
      const revised = change(present);
      this.#write(revised);
      return revised;
    });
  }

  /**
   * Moves an asset to another identity. `judge` sees what stands at the target and throws where it may not go.
   *
   * @returns what stood at the target
   */
  move(from: StoreIdentity, to: Asset, judge: (target: Asset | undefined) => void): Asset | undefined {
    return transaction(this.#database, () => {
      const target = this.get(to);
      judge(target);
      this.#delete.run(from.resourceType, from.deliveryType, from.publicId);
      this.#write(to);
      return target;
    });
  }

  /** Gives what was removed. */
  remove(identity: StoreIdentity): Asset | undefined {
    return transaction(this.#database, () => {
      const present = this.get(identity);
      if (present !== undefined) this.#delete.run(identity.resourceType, identity.deliveryType, identity.publicId);
      return present;
    });
  }

  isReferenced(sha256: string): boolean {
    return Number(this.#references.get(sha256)?.n) > 0;
  }

  /** Notes that a blob is about to appear which no asset names yet. */
  markPending(sha256: string): void {
    this.#database.prepare('INSERT OR IGNORE INTO pending (sha256) VALUES (?)').run(sha256);
  }

  unmarkPending(sha256: string): void {
    this.#database.prepare('DELETE FROM pending WHERE sha256 = ?').run(sha256);
  }

  pending(): readonly string[] {
    return this.#database
      .prepare('SELECT sha256 FROM pending')
      .all()
      .map((row) => String(row.sha256));
  }

  query(query: AssetQuery): AssetPage {
    const conditions = ['resource_type = :resourceType'];
    const values: Record<string, string | number> = { resourceType: query.resourceType, limit: query.limit + 1 };
    const where = (condition: string, name: string, value: string | undefined): void => {
      if (value === undefined) return;
      conditions.push(condition);
      values[name] = value;
    };
    where('delivery_type = :deliveryType', 'deliveryType', query.deliveryType);
    where('substr(public_id, 1, length(:prefix)) = :prefix', 'prefix', query.prefix);
    where("EXISTS (SELECT 1 FROM json_each(record, '$.tags') WHERE value = :tag)", 'tag', query.tag);
    where("EXISTS (SELECT 1 FROM json_each(record, '$.context') WHERE key = :key)", 'key', query.context?.key);
    where(
      "EXISTS (SELECT 1 FROM json_each(record, '$.context') WHERE key = :key AND value = :value)",
      'value',
      query.context?.value,
    );
    where(
      'public_id IN (SELECT value FROM json_each(:publicIds))',
      'publicIds',
      query.publicIds && JSON.stringify(query.publicIds),
    );
    if (query.after !== undefined) {
      const [deliveryType = '', ...rest] = query.after.split(' ');
      conditions.push('(delivery_type, public_id) > (:afterType, :afterId)');
      Object.assign(values, { afterType: deliveryType, afterId: rest.join(' ') });
    }
    const rows = this.#database
      .prepare(
        `SELECT record FROM assets WHERE ${conditions.join(' AND ')} ORDER BY delivery_type, public_id LIMIT :limit`,
      )
      .all(values);
    const assets = rows.slice(0, query.limit).flatMap((row) => readRecord(row) ?? []);
    const last = assets.at(-1);
    return rows.length > query.limit && last !== undefined
      ? { assets, next: `${last.deliveryType} ${last.publicId}` }
      : { assets };
  }

  tags(resourceType: ResourceType, prefix: string): readonly string[] {
    return this.#database
      .prepare(
        `SELECT DISTINCT tag.value AS tag FROM assets, json_each(record, '$.tags') AS tag
         WHERE resource_type = ? AND substr(tag.value, 1, length(?)) = ? ORDER BY 1 LIMIT 500`,
      )
      .all(resourceType, prefix, prefix)
      .map((row) => String(row.tag));
  }

  totals(): IndexTotals {
    const row = this.#database.prepare('SELECT count(*) AS n, coalesce(sum(bytes), 0) AS bytes FROM assets').get();
    return { assets: Number(row?.n), bytes: Number(row?.bytes) };
  }

  #write(asset: Asset): void {
    this.#put.run(
      asset.resourceType,
      asset.deliveryType,
      asset.publicId,
      asset.assetId,
      asset.sha256,
      asset.bytes,
      asset.createdAt,
      JSON.stringify(asset),
    );
  }
}

function readRecord(row: Record<string, unknown> | undefined): Asset | undefined {
  // Written by this class only.
  return row === undefined ? undefined : (JSON.parse(String(row.record)) as Asset);
}
