import { AssetFailure } from '../../asset/failure.ts';
import type { Parameters } from '../../cloudinary/signature.ts';
import type { UploadOptions, UploadTarget } from '../asset-store.ts';

/** The parameters of an upload (contract §2.5), without the file and without what authorises it. */
export function uploadParameters(target: UploadTarget, options: UploadOptions): Parameters {
  return {
    public_id: target.publicId,
    type: target.deliveryType,
    overwrite: options.overwrite,
    upload_preset: options.preset,
    tags: options.tags,
    context: options.context === undefined ? undefined : keyValues(options.context),
    metadata: options.metadata === undefined ? undefined : keyValues(options.metadata),
    asset_folder: options.assetFolder,
    display_name: options.displayName,
    allowed_formats: options.allowedFormats,
    eager: options.eager?.join('|'),
    eager_async: options.eagerAsync,
    notification_url: options.notificationUrl,
    moderation: options.moderation,
    backup: options.backup,
    invalidate: options.invalidate,
    async: options.async,
  };
}

/** What Cloudinary takes without a signature, of the parameters above (contract §4). */
const allowedUnsigned = new Set(['upload_preset', 'public_id', 'asset_folder', 'tags', 'context', 'metadata']);

/**
 * The same for an unsigned upload. `overwrite=false` and `type=upload` are what unsigned uploads do anyway, so they
 * are left out; anything else that needs a signature is refused before a byte is sent, all of it in one message.
 *
 * @throws {AssetFailure} `store-rejected`
 */
export function unsignedParameters(target: UploadTarget, options: UploadOptions): Parameters {
  const parameters = Object.entries(uploadParameters(target, options)).filter(
    ([key, value]) =>
      value !== undefined &&
      !(key === 'overwrite' && value === false) &&
      !(key === 'type' && value === 'upload') &&
      !(Array.isArray(value) && value.length === 0) &&
      value !== '',
  );
  const refused = parameters.map(([key]) => key).filter((key) => !allowedUnsigned.has(key));
  if (refused.length > 0) {
    throw new AssetFailure('store-rejected', {
      detail: `unsigned uploads cannot carry ${refused.join(', ')}`,
      hint: 'set them in the upload preset, or give CLOUDINARY_URL the API secret',
    });
  }
  if (options.preset === undefined) {
    throw new AssetFailure('store-rejected', {
      detail: 'unsigned uploads need an upload preset',
      hint: 'set upload.preset of the mapping, or give CLOUDINARY_URL the API secret',
    });
  }
  return Object.fromEntries(parameters);
}

/** `a=1|b=["x","y"]`, with `=` and `|` escaped by a backslash, as the SDKs write context and metadata. */
function keyValues(values: Readonly<Record<string, string | readonly string[]>>): string {
  const escaped = (text: string): string => text.replace(/[=|]/g, '\\$&');
  return Object.entries(values)
    .map(([key, value]) => {
      const text =
        typeof value === 'string' ? escaped(value) : `[${value.map((item) => `"${escaped(item)}"`).join(',')}]`;
      return `${key}=${text}`;
    })
    .join('|');
}
