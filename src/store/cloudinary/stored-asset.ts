import { AssetFailure } from '../../asset/failure.ts';
import type { DeliveryType, ResourceType } from '../../asset/record.ts';
import { verifyResponse } from '../../cloudinary/signature.ts';
import type { StoredAsset } from '../asset-store.ts';
import type { StoreAnswer } from './answer.ts';

/** The fields of a result that identify the copy and its bytes; `md5` absent where the store does not tell it. */
export type PartialAsset = Omit<StoredAsset, 'md5'> & { readonly md5?: string };

/**
 * Reads a stored asset out of a result (contract §5.1). The public ID is the one the store returns: it may change
 * characters, and knows best.
 *
 * @throws {AssetFailure} `store-rejected` when the result lacks what identifies a copy: without it nothing is proven
 */
export function readAsset(json: Readonly<Record<string, unknown>>): PartialAsset {
  const { public_id: publicId, version, resource_type: resourceType, type, format, bytes, etag } = json;
  if (typeof publicId !== 'string' || publicId === '') throw incomplete('public_id');
  if (!isCount(version)) throw incomplete('version');
  if (!isCount(bytes)) throw incomplete('bytes');
  if (!isResourceType(resourceType)) throw incomplete('resource_type');
  if (!isDeliveryType(type)) throw incomplete('type');
  const md5 = typeof etag === 'string' && /^[0-9a-f]{32}$/i.test(etag) ? etag.toLowerCase() : undefined;
  return {
    publicId,
    version,
    resourceType,
    deliveryType: type,
    format: typeof format === 'string' ? format : '',
    bytes,
    ...(md5 !== undefined && { md5 }),
  };
}

/** The same, complete. @throws {AssetFailure} `store-rejected` */
export function withMd5(asset: PartialAsset): StoredAsset {
  if (asset.md5 === undefined) throw incomplete('etag');
  return { ...asset, md5: asset.md5 };
}

/**
 * Checks that the result was signed with our secret. Without a secret nothing can be checked.
 *
 * @throws {AssetFailure} `store-auth`
 */
export function checkSignature(answer: StoreAnswer, asset: PartialAsset, secret: string | undefined): void {
  if (secret === undefined) return;
  const signature = answer.json?.signature;
  if (typeof signature === 'string' && verifyResponse(asset.publicId, asset.version, signature, secret)) return;
  throw new AssetFailure('store-auth', {
    detail: 'the store’s answer is not signed with our API secret',
    hint: 'check the secret in CLOUDINARY_URL; else something between us and Cloudinary answers in its name',
    status: answer.status,
  });
}

function incomplete(field: string): AssetFailure {
  return new AssetFailure('store-rejected', {
    detail: `the store’s result has no usable ${field}`,
    hint: 'an upload preset or a proxy in between may change results',
  });
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isResourceType(value: unknown): value is ResourceType {
  return value === 'image' || value === 'video' || value === 'raw';
}

function isDeliveryType(value: unknown): value is DeliveryType {
  return value === 'upload' || value === 'private' || value === 'authenticated';
}
