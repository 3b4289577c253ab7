import type { Asset } from '../asset/asset.ts';
import type { Mapping } from '../config/schema.ts';
import type { UploadOptions } from '../store/asset-store.ts';

/** The upload options of one asset, from its mapping. */
export function uploadOptionsOf(mapping: Mapping, asset: Asset, overwrite: boolean): UploadOptions {
  const { upload } = mapping;
  return {
    overwrite,
    ...(upload.preset === null ? {} : { preset: upload.preset }),
    ...(upload.tags.length === 0 ? {} : { tags: upload.tags }),
    ...(Object.keys(upload.context).length === 0 ? {} : { context: upload.context }),
    ...(Object.keys(upload.metadata).length === 0 ? {} : { metadata: upload.metadata }),
    ...(upload.assetFolder === null ? {} : { assetFolder: upload.assetFolder }),
    ...(upload.displayName === 'none' ? {} : { displayName: asset.filename }),
    ...(upload.allowedFormats.length === 0 ? {} : { allowedFormats: upload.allowedFormats }),
    ...(upload.eager.length === 0 ? {} : { eager: upload.eager }),
    ...(upload.notificationUrl === null ? {} : { notificationUrl: upload.notificationUrl }),
    ...(upload.moderation === null ? {} : { moderation: upload.moderation }),
    ...(upload.backup === null ? {} : { backup: upload.backup }),
    ...(upload.async ? { async: true } : {}),
    // What is replaced must go from the CDN too.
    ...(overwrite ? { invalidate: true } : {}),
  };
}
