import { readFile } from 'node:fs/promises';
import sharp, { type Sharp, type SharpOptions } from 'sharp';
import type { MediaFacts } from '../index/asset.ts';

/** Larger drawings than this are no pictures for the web. */
const MAX_SVG_BYTES = 20_000_000;

/**
 * Opens an image for decoding. A stored SVG is handed over as bytes: opened by its path, it could draw the files
 * beside it.
 */
export async function openImage(path: string, format: string, options: SharpOptions = {}): Promise<Sharp> {
  if (format !== 'svg') return sharp(path, { failOn: 'error', ...options });
  const bytes = await readFile(path);
  if (bytes.length > MAX_SVG_BYTES) throw new RangeError('the SVG is too large to be drawn');
  return sharp(bytes, { failOn: 'error', ...options });
}

/** Size and frames; undefined where the bytes are not the image that they begin like. */
export async function analyseImage(path: string, format: string): Promise<MediaFacts | undefined> {
  try {
    const image = await openImage(path, format, { limitInputPixels: false });
    const { width, height, pages, pageHeight } = await image.metadata();
    return { width, height: pageHeight ?? height, pages: pages ?? 1 };
  } catch {
    // A drawing without a size of its own is still a picture.
    return format === 'svg' ? { pages: 1 } : undefined;
  }
}
