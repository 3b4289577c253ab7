import type { AssetKey } from './key.ts';
import type { Reason } from './reason.ts';

/**
 * `known` (inventory only, or a claim given back) → `claimed` → `stored` → `verified`; or `failed` (tried again at
 * `failure.retryAt`), `missing` (the origin says there is no such object, until `failure.retryAt`), `tombstoned`
 * (deleted on purpose: never uploaded again).
 */
export const assetStates = ['known', 'claimed', 'stored', 'verified', 'failed', 'missing', 'tombstoned'] as const;
export type AssetState = (typeof assetStates)[number];

export type ResourceType = 'image' | 'video' | 'raw';
export type DeliveryType = 'upload' | 'private' | 'authenticated';

/** What identifies a copy at the store (contract §2.6). */
export interface StoreIdentity {
  readonly resourceType: ResourceType;
  readonly deliveryType: DeliveryType;
  readonly publicId: string;
}

/**
 * How we know that the copy is whole, strongest first:
 * `read`: we read every byte of the origin, and length and MD5 equal the store's;
 * `digest`: the origin stated a digest that equals the store's;
 * `length`: the origin stated a length that equals the store's.
 */
export type Proof = 'read' | 'digest' | 'length';

/** The copy at the store. Present only once it is proven whole. */
export interface StoredCopy extends StoreIdentity {
  /** Unix seconds, as the store gives it; part of each delivery URL. */
  readonly version: number;
  /** Format by the store, for example `jpg`; empty for raw assets. */
  readonly format: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly md5: string;
  /** Lower-case hex, where we read the bytes ourselves. */
  readonly sha256?: string;
  readonly proof: Proof;
  /** Milliseconds since the epoch. */
  readonly storedAt: number;
  readonly verifiedAt?: number;
}

/** What the origin said of the object when it was last read; given back to clients on warm streams. */
export interface OriginFacts {
  readonly bytes?: number;
  readonly contentType?: string;
  readonly contentDisposition?: string;
  readonly contentEncoding?: string;
  readonly contentLanguage?: string;
  readonly cacheControl?: string;
  readonly etag?: string;
  readonly lastModified?: string;
}

interface FailureRecord {
  readonly reason: Reason;
  /** One sentence for the operator. */
  readonly detail: string;
  /** How often it has been tried in a row without success. */
  readonly attempts: number;
  /** Not tried again before this time; milliseconds since the epoch. */
  readonly retryAt: number;
}

export interface ClaimRecord {
  readonly owner: string;
  /** Fencing token: grows with each claim of the asset, over the whole fleet. */
  readonly token: number;
  /** Milliseconds since the epoch, by the ledger's clock. */
  readonly leaseUntil: number;
}

/** Everything the ledger knows of one asset. */
export interface AssetRecord {
  readonly key: AssetKey;
  readonly originUrl: string;
  readonly state: AssetState;
  /** Stays while a refresh is under way: the old version serves until the new one is proven. */
  readonly copy?: StoredCopy;
  readonly origin?: OriginFacts;
  readonly failure?: FailureRecord;
  readonly claim?: ClaimRecord;
  /** Milliseconds since the epoch, by the ledger's clock. */
  readonly createdAt: number;
  readonly updatedAt: number;
}
