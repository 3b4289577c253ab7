import type { Asset } from '../index/asset.ts';
import { analyseColors } from './colors.ts';
import { isDecodable, openImage } from './image.ts';
import { readImageMetadata } from './image-metadata.ts';
import { perceptualHash } from './perceptual-hash.ts';

export interface ExtraAnalysis {
  readonly colors: boolean;
  readonly phash: boolean;
  /** Under which of Cloudinary's names embedded metadata is wanted. */
  readonly metadata: readonly ('image_metadata' | 'media_metadata' | 'exif')[];
}

/** The analysis data that is made on request only. Nothing for what is no picture we can decode. */
export async function analyseExtra(
  path: string,
  asset: Asset,
  wanted: ExtraAnalysis,
): Promise<Record<string, unknown>> {
  if (asset.resourceType !== 'image' || !isDecodable(asset.format)) return {};
  const open = () => openImage(path, asset.format, { limitInputPixels: false });
  const metadata = wanted.metadata.length > 0 ? await readImageMetadata(await open()) : undefined;
  return {
    ...(wanted.colors && (await analyseColors(await open()))),
    ...(wanted.phash && { phash: await perceptualHash(await open()) }),
    ...Object.fromEntries(wanted.metadata.map((name) => [name, metadata])),
  };
}
