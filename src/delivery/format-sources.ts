import type { Asset } from '../asset/asset.ts';
import type { AssetRecord } from '../asset/record.ts';
import type { Mapping } from '../config/schema.ts';
import { assetOf } from './asset-of.ts';

/** Image formats that an origin is likely to keep, likeliest first. */
const sourceFormats = [
  'jpg',
  'jpeg',
  'png',
  'gif',
  'webp',
  'avif',
  'svg',
  'tif',
  'tiff',
  'bmp',
  'heic',
  'JPG',
  'JPEG',
  'PNG',
];

/**
 * What a Cloudinary-grammar URL for `a.webp` may mean besides an object of that name: a conversion of `a.jpg`, whether
 * or not anybody has ever asked for that. Empty where the name has no image format's extension.
 */
export function formatSources(mapping: Mapping, asset: Asset): readonly Asset[] {
  const match = /^(.*)\.([A-Za-z0-9]+)$/.exec(asset.key.path);
  const [, stem, format] = match ?? [];
  if (stem === undefined || format === undefined || !sourceFormats.includes(format.toLowerCase())) return [];
  return sourceFormats
    .filter((other) => other !== format)
    .map((other) => assetOf(mapping, { ...asset.key, path: `${stem}.${other}` }));
}

export interface SourceSearch {
  readonly lookup: (asset: Asset) => Promise<AssetRecord | undefined>;
  /** Whether the origin has the object. */
  readonly exists: (asset: Asset) => Promise<boolean>;
}

/**
 * The asset that a URL asks a conversion of: the first one that is stored, else the first one that the origin has;
 * undefined where there is none.
 */
export async function findFormatSource(sources: readonly Asset[], search: SourceSearch): Promise<Asset | undefined> {
  for (const source of sources) {
    if ((await search.lookup(source))?.copy !== undefined) return source;
  }
  for (const source of sources) {
    if (await search.exists(source)) return source;
  }
  return undefined;
}
