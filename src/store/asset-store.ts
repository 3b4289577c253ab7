import type { Readable } from 'node:stream';
import type { DeliveryType, ResourceType, StoreIdentity } from '../asset/record.ts';

/** Where the store takes the bytes from (contract §2.4). */
export type UploadSource =
  /** The store fetches the URL itself; handed over as it is (http, https, ftp, s3, gs). */
  | {
      readonly kind: 'remote-url';
      readonly url: string;
      /** What the origin says the length is, in bytes: lets the store say `too-large` before anything moves. */
      readonly length?: number;
    }
  /** We send the bytes, streamed; `open` may be called again for a retry, from `start` on. */
  | {
      readonly kind: 'bytes';
      readonly filename: string;
      readonly length?: number;
      open(start: number): Readable;
    };

export interface UploadTarget {
  readonly publicId: string;
  /** `auto`: the store decides by the content. */
  readonly resourceType: ResourceType | 'auto';
  readonly deliveryType: DeliveryType;
}

/** Per-mapping upload options, by Cloudinary's parameter names in camel case (contract §2.5). */
export interface UploadOptions {
  readonly overwrite: boolean;
  readonly preset?: string;
  readonly tags?: readonly string[];
  readonly context?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, string | readonly string[]>>;
  readonly assetFolder?: string;
  readonly displayName?: string;
  readonly allowedFormats?: readonly string[];
  readonly eager?: readonly string[];
  readonly eagerAsync?: boolean;
  readonly notificationUrl?: string;
  readonly moderation?: string;
  readonly backup?: boolean;
  readonly invalidate?: boolean;
  readonly async?: boolean;
}

export interface UploadRequest {
  readonly source: UploadSource;
  readonly target: UploadTarget;
  readonly options: UploadOptions;
  readonly signal?: AbortSignal;
}

/** The store's own word of a stored asset; its response signature is already checked. */
export interface StoredAsset extends StoreIdentity {
  readonly version: number;
  readonly format: string;
  readonly bytes: number;
  /** Lower-case hex MD5 of the content (the store's `etag`). */
  readonly md5: string;
}

export interface UploadResult extends StoredAsset {
  /** The public ID was taken before: nothing was uploaded, and this describes what is there. */
  readonly existing: boolean;
}

export interface StoreReadRequest {
  readonly range?: string;
  readonly conditions?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface StoreRead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

/**
 * Where copies go. Driver: `cloudinary/`. Each driver runs `test/contract/asset-store.contract.ts`.
 *
 * Every method rejects with `AssetFailure`: `store-rejected`, `store-rate-limited` (with `retryAfterMs`),
 * `store-unreachable`, `store-auth`, `too-large`, `wrong-type`, and for remote URLs the `origin-*` reason that the
 * store reports.
 */
export interface AssetStore {
  upload(request: UploadRequest): Promise<UploadResult>;
  /** What is stored under this identity; undefined when nothing is. Never asks a delivery URL (invariant 6). */
  describe(identity: StoreIdentity): Promise<StoredAsset | undefined>;
  /** The original's bytes. Only for an identity known to be stored. */
  open(
    identity: StoreIdentity & { readonly version: number; readonly format: string },
    request: StoreReadRequest,
  ): Promise<StoreRead>;
  /**
   * Whether the copy's delivery URL leads to it: what a client of a redirect would find. Asks the store's delivery, not
   * its API. Only for an identity that was stored.
   */
  isDelivered(copy: StoreIdentity & { readonly version: number; readonly format: string }): Promise<boolean>;
  /** False when there was nothing to remove. */
  remove(identity: StoreIdentity): Promise<boolean>;
  /** Absolute, with the version; `transformation` as Cloudinary writes it, for example `f_auto,q_auto`. */
  deliveryUrl(
    copy: StoreIdentity & { readonly version: number; readonly format: string },
    options?: { readonly transformation?: string; readonly format?: string },
  ): string;
  ping(): Promise<void>;
  close(): Promise<void>;
}
