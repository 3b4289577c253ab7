import type { StoreIdentity } from '../../asset/record.ts';
import type { Asset } from '../index/asset.ts';
import type { AssetIndex } from '../index/asset-index.ts';
import type { BlobStore } from './blob-store.ts';
import { KeyedMutex } from './keyed-mutex.ts';
import type { StagedFile, Staging } from './staging.ts';

export interface StoreOutcome {
  /** What stands under the identity now. */
  readonly asset: Asset;
  /** `kept`: what stood there before was left, and the new bytes were dropped. */
  readonly kind: 'created' | 'overwritten' | 'kept';
}

/**
 * Index and blobs kept in step: an asset in the index always has its whole blob, and a blob that no asset names is
 * removed. Work on one blob runs one after the other, so that a removal never takes a blob from under an upload of
 * the same bytes.
 */
export class Library {
  readonly index: AssetIndex;
  readonly #blobs: BlobStore;
  readonly #staging: Staging;
  readonly #onBlobRemoved: (sha256: string) => Promise<void>;
  readonly #perBlob = new KeyedMutex();

  constructor(parts: {
    readonly index: AssetIndex;
    readonly blobs: BlobStore;
    readonly staging: Staging;
    /** Called when the last asset with these bytes is gone. */
    readonly onBlobRemoved: (sha256: string) => Promise<void>;
  }) {
    this.index = parts.index;
    this.#blobs = parts.blobs;
    this.#staging = parts.staging;
    this.#onBlobRemoved = parts.onBlobRemoved;
  }

  /** Removes blobs that a crash left between their rename and their entry in the index. */
  async recover(): Promise<void> {
    for (const sha256 of this.index.pending()) {
      await this.#removeIfUnreferenced(sha256);
      this.index.unmarkPending(sha256);
    }
  }

  blobPath(asset: { readonly sha256: string }): string {
    return this.#blobs.path(asset.sha256);
  }

  /**
   * Stores the staged bytes under an identity, durably. `decide` is given what stands there and answers with the asset
   * to store, or with the present one to leave it. The staged file is gone in either case.
   */
  async store(
    staged: StagedFile,
    identity: StoreIdentity,
    decide: (present: Asset | undefined) => Asset,
  ): Promise<StoreOutcome> {
    let present: Asset | undefined;
    const asset = await this.#perBlob.run(staged.sha256, async () => {
      try {
        if (!this.index.isReferenced(staged.sha256)) this.index.markPending(staged.sha256);
        await this.#blobs.adopt(staged);
        return this.index.update(identity, (found) => {
          present = found;
          return decide(found);
        });
      } finally {
        await this.#staging.discard(staged);
        if (!this.index.isReferenced(staged.sha256)) {
          await this.#blobs.remove(staged.sha256);
          this.index.unmarkPending(staged.sha256);
        }
      }
    });
    if (present === undefined) return { asset, kind: 'created' };
    if (present === asset) return { asset, kind: 'kept' };
    if (present.sha256 !== asset.sha256) await this.#removeIfUnreferenced(present.sha256);
    return { asset, kind: 'overwritten' };
  }

  /** Gives what was removed. */
  async remove(identity: StoreIdentity): Promise<Asset | undefined> {
    const removed = this.index.remove(identity);
    if (removed !== undefined) await this.#removeIfUnreferenced(removed.sha256);
    return removed;
  }

  /** Moves an asset to another identity; what stood there is gone. */
  async move(from: Asset, to: Asset, decide: (target: Asset | undefined) => void): Promise<void> {
    const replaced = this.index.move(from, to, decide);
    if (replaced !== undefined) await this.#removeIfUnreferenced(replaced.sha256);
  }

  async #removeIfUnreferenced(sha256: string): Promise<void> {
    await this.#perBlob.run(sha256, async () => {
      if (this.index.isReferenced(sha256)) return;
      await this.#blobs.remove(sha256);
      await this.#onBlobRemoved(sha256);
    });
  }
}
