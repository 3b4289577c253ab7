import { analyseColors } from './colors.ts';
import { openImage } from './image.ts';
import { readImageMetadata } from './image-metadata.ts';
import { perceptualHash } from './perceptual-hash.ts';

export interface ExtraAnalysis {
  readonly colors: boolean;
  readonly phash: boolean;
  /** Under which of Cloudinary's names embedded metadata is wanted. */
  readonly metadata: readonly ('image_metadata' | 'media_metadata' | 'exif')[];
}

/** Colours, perceptual hash and embedded metadata, as far as they are wanted. */
export async function readExtra(path: string, format: string, wanted: ExtraAnalysis): Promise<Record<string, unknown>> {
  // What is stored is within the limits of pictures.
  const open = () => openImage(path, format, { limitInputPixels: false });
  const metadata = wanted.metadata.length > 0 ? await readImageMetadata(await open()) : undefined;
  return {
    ...(wanted.colors && (await analyseColors(await open()))),
    ...(wanted.phash && { phash: await perceptualHash(await open()) }),
    ...Object.fromEntries(wanted.metadata.map((name) => [name, metadata])),
  };
}
