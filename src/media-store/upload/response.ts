import { buildDeliveryUrl, encodePublicId, signedPart } from '../../cloudinary/delivery-url.ts';
import { signDelivery, signResponse } from '../../cloudinary/signature.ts';
import type { Asset } from '../index/asset.ts';
import type { Settings } from '../options.ts';

export type Json = Record<string, unknown>;

/** Writes assets as Cloudinary does (contract §5.1). */
export class AssetResponses {
  readonly #settings: Settings;
  readonly #publicUrl: () => string;

  constructor(settings: Settings, publicUrl: () => string) {
    this.#settings = settings;
    this.#publicUrl = publicUrl;
  }

  /** What uploads, `explicit` and `rename` answer. */
  uploaded(asset: Asset): Json {
    return {
      ...this.resource(asset),
      version_id: asset.versionId,
      signature: signResponse(
        asset.publicId,
        asset.version,
        this.#settings.apiSecret,
        this.#settings.signatureAlgorithm,
      ),
      api_key: this.#settings.apiKey,
    };
  }

  /** What the Admin API answers; everything that does not need the secret. */
  resource(asset: Asset): Json {
    const url = this.deliveryUrl(asset);
    return {
      asset_id: asset.assetId,
      public_id: asset.publicId,
      version: asset.version,
      ...(asset.format !== '' && { format: asset.format }),
      resource_type: asset.resourceType,
      type: asset.deliveryType,
      created_at: new Date(asset.createdAt).toISOString().replace(/\.\d{3}Z$/, 'Z'),
      tags: asset.tags,
      bytes: asset.bytes,
      etag: asset.md5,
      placeholder: false,
      url,
      secure_url: url,
      ...this.#folders(asset),
      ...(asset.originalFilename !== undefined && { original_filename: asset.originalFilename }),
      ...asset.facts,
      ...(Object.keys(asset.context).length > 0 && { context: { custom: asset.context } }),
      ...(Object.keys(asset.metadata).length > 0 && { metadata: asset.metadata }),
      ...(asset.moderation.length > 0 && { moderation: asset.moderation }),
    };
  }

  /** Absolute, versioned, signed where the delivery type asks for it. */
  deliveryUrl(asset: Asset, derived: { readonly transformation?: string; readonly format?: string } = {}): string {
    const format = asset.resourceType === 'raw' ? '' : (derived.format ?? asset.format);
    const url = {
      origin: this.#publicUrl(),
      cloud: this.#settings.cloudName,
      form: 'full' as const,
      resourceType: asset.resourceType,
      deliveryType: asset.deliveryType,
      transformations: derived.transformation?.split('/') ?? [],
      version: String(asset.version),
      source: encodePublicId(format === '' ? asset.publicId : `${asset.publicId}.${format}`),
      query: '',
    };
    if (asset.deliveryType === 'upload') return buildDeliveryUrl(url);
    return buildDeliveryUrl({ ...url, signature: signDelivery(signedPart(url), this.#settings.apiSecret) });
  }

  #folders(asset: Asset): Json {
    if (this.#settings.folderMode === 'dynamic') {
      return { asset_folder: asset.assetFolder, display_name: asset.displayName };
    }
    return { folder: asset.publicId.split('/').slice(0, -1).join('/') };
  }
}
