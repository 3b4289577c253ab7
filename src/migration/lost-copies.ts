import { LRUCache } from 'lru-cache';
import type { Asset } from '../asset/asset.ts';
import { AssetFailure } from '../asset/failure.ts';
import { encodeAssetKey } from '../asset/key.ts';
import type { AssetRecord, StoredCopy, StoreIdentity } from '../asset/record.ts';

export interface LostCopiesOptions {
  /** What the store itself says of the copy; undefined where it has none. */
  readonly describe: (identity: StoreIdentity) => Promise<unknown>;
  /** Makes the copy again. Never rejects. */
  readonly makeAgain: (asset: Asset) => Promise<AssetRecord | undefined>;
  readonly observe: (report: LostCopyReport) => void;
}

export interface LostCopyReport {
  readonly asset: Asset;
  readonly copy: StoredCopy;
  /** `gone`: it is made again. `there`: its delivery only is behind. `unknown`: the store does not say. */
  readonly verdict: 'gone' | 'there' | 'unknown';
}

/** How long the store's word that it has a copy counts: its delivery may be behind, and its API is asked sparingly. */
const believedMs = 60_000;

/**
 * Copies that the store's delivery does not have. A record that loses its copy by mistake would be served by nobody if
 * the origin were gone, so the store is asked by its API as well: only what neither has is made again.
 */
export class LostCopies {
  readonly #options: LostCopiesOptions;
  readonly #underWay = new Map<string, Promise<AssetRecord | undefined>>();
  readonly #believed = new LRUCache<string, true>({ max: 10_000, ttl: believedMs });

  constructor(options: LostCopiesOptions) {
    this.#options = options;
  }

  /**
   * Takes the report of a copy that its delivery URL did not lead to. Resolves with what the ledger says when it is made
   * again; undefined when it is not. Never rejects.
   */
  report(asset: Asset, copy: StoredCopy): Promise<AssetRecord | undefined> {
    const id = encodeAssetKey(asset.key);
    const underWay = this.#underWay.get(id) ?? this.#judge(id, asset, copy).finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, underWay);
    return underWay;
  }

  async #judge(id: string, asset: Asset, copy: StoredCopy): Promise<AssetRecord | undefined> {
    if (this.#believed.has(id)) return undefined;
    const verdict = await this.#verdictOf(copy);
    if (verdict !== 'gone') this.#believed.set(id, true);
    this.#options.observe({ asset, copy, verdict });
    return verdict === 'gone' ? this.#options.makeAgain(asset) : undefined;
  }

  async #verdictOf({ resourceType, deliveryType, publicId }: StoredCopy): Promise<LostCopyReport['verdict']> {
    try {
      const stored = await this.#options.describe({ resourceType, deliveryType, publicId });
      return stored === undefined ? 'gone' : 'there';
    } catch (error) {
      // An account without a secret (unsigned uploads) cannot ask; there the delivery's word is all there is.
      return error instanceof AssetFailure && error.reason === 'store-auth' ? 'gone' : 'unknown';
    }
  }
}
