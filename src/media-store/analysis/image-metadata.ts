import readExif from 'exif-reader';
import type { Sharp } from 'sharp';

/** Embedded metadata as Cloudinary gives it: one flat record of texts. */
export async function readImageMetadata(image: Sharp): Promise<Record<string, string>> {
  const { exif, density, space, hasAlpha } = await image.metadata();
  return {
    ...(density !== undefined && { DPI: String(density) }),
    ...(space !== undefined && { Colorspace: space }),
    ...(hasAlpha !== undefined && { HasAlpha: String(hasAlpha) }),
    ...(exif !== undefined && exifTexts(exif)),
  };
}

/** Longer values are thumbnails and maker notes. */
const MAX_TEXT = 1000;

function exifTexts(block: Buffer): Record<string, string> {
  let tags: ReturnType<typeof readExif>;
  try {
    tags = readExif(block);
  } catch {
    // A broken block is no reason to refuse the picture.
    return {};
  }
  return Object.fromEntries(
    Object.entries({ ...tags.Image, ...tags.Photo, ...tags.GPSInfo })
      .map(([name, value]) => [name, text(value)] as const)
      .filter(([, value]) => value !== '' && value.length <= MAX_TEXT),
  );
}

function text(value: unknown): string {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '' : value.toISOString();
  if (Buffer.isBuffer(value) || value === undefined || value === null) return '';
  return Array.isArray(value) ? value.join(' ') : String(value);
}
