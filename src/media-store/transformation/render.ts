import sharp, { type Sharp } from 'sharp';
import { openImage } from '../analysis/image.ts';
import { StoreError } from '../store-error.ts';
import { white } from './color.ts';
import type { Transformation } from './component.ts';
import { geometryOf, type Size } from './geometry.ts';
import { passesOf, pixelsOf, positionOf } from './passes.ts';
import type { TargetFormat } from './target-format.ts';

export interface RenderSource {
  readonly path: string;
  readonly format: string;
  /** Frames of an animation. */
  readonly pages: number;
}

export interface RenderLimits {
  readonly inputPixels: number;
  /** Of the picture after each step; of an animation all frames together. */
  readonly outputPixels: number;
}

export interface Rendered extends Size {
  readonly data: Buffer;
}

/**
 * Draws a derived picture.
 *
 * @throws {StoreError} 400 for what is too large or cannot be done, 500 never: a picture that does not decode is 400
 */
export async function render(
  source: RenderSource,
  transformation: Transformation,
  target: TargetFormat,
  limits: RenderLimits,
): Promise<Rendered> {
  try {
    const isAnimated = source.pages > 1 && (target.format === 'gif' || target.format === 'webp');
    const picture = isAnimated
      ? await scaleAnimation(source, transformation, limits)
      : await runPasses(source, transformation, limits);
    const { data, info } = await encode(picture, target).toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.pageHeight ?? info.height };
  } catch (error) {
    if (error instanceof StoreError) throw error;
    // Where the file lies is nobody's business.
    const reason = error instanceof Error ? firstLine(error.message.replaceAll(source.path, 'the file')) : '';
    throw new StoreError(400, `Invalid image file: ${reason || 'it does not decode'}`);
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.slice(0, 200) ?? '';
}

async function runPasses(source: RenderSource, { components }: Transformation, limits: RenderLimits): Promise<Sharp> {
  let image = await openFirst(source, components[0], limits);
  const { autoOrient, width, height } = await image.metadata();
  const keepsOrientation = components[0]?.ignoreOrientation === true;
  let size: Size = keepsOrientation ? { width, height } : autoOrient;
  image = keepsOrientation ? image : image.autoOrient();
  for (const component of components) {
    requirePixels(pixelsOf(component, size), limits);
    for (const pass of passesOf(component, size)) {
      const { data, info } = await pass(image.toColourspace('srgb'), size).raw().toBuffer({ resolveWithObject: true });
      size = { width: info.width, height: info.height };
      image = sharp(data, { raw: { ...size, channels: info.channels }, limitInputPixels: limits.inputPixels });
    }
  }
  requirePixels(size.width * size.height, limits);
  return image;
}

const SVG_DENSITY = 72;
const MAX_SVG_DENSITY = 1200;

/** An SVG is drawn as large as the first step needs it, not enlarged from its own size. */
async function openFirst(
  source: RenderSource,
  first: Transformation['components'][number] | undefined,
  limits: RenderLimits,
): Promise<Sharp> {
  const options = { limitInputPixels: limits.inputPixels };
  const image = await openImage(source.path, source.format, options);
  if (source.format !== 'svg' || first === undefined) return image;
  const { width, height } = await image.metadata();
  const wanted = geometryOf(first, { width, height })?.scale.width ?? width;
  if (wanted <= width) return image;
  const density = Math.min(MAX_SVG_DENSITY, (SVG_DENSITY * wanted) / width);
  // Sized here: everything after counts from the drawing's own size.
  const large = await openImage(source.path, source.format, { density, limitInputPixels: limits.outputPixels });
  const { data, info } = await large.raw().toBuffer({ resolveWithObject: true });
  return sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels }, ...options });
}

/** An animation is scaled and cut as a whole; other steps have no meaning for all of its frames here. */
async function scaleAnimation(
  source: RenderSource,
  { components }: Transformation,
  limits: RenderLimits,
): Promise<Sharp> {
  const image = await openImage(source.path, source.format, { animated: true, limitInputPixels: limits.inputPixels });
  const { width, pageHeight, height } = await image.metadata();
  const size = { width, height: pageHeight ?? height };
  const active = components.filter((component) => passesOf(component, size).length > 0);
  const [only] = active;
  if (only === undefined) return image;
  const geometry = geometryOf(only, size);
  if (
    active.length > 1 ||
    geometry === undefined ||
    passesOf(only, size).length > 1 ||
    geometry.before ||
    geometry.canvas
  ) {
    throw new StoreError(400, 'Unsupported transformation - an animated image can only be scaled, fitted or filled');
  }
  requirePixels(pixelsOf(only, size) * source.pages, limits);
  const { after, scale } = geometry;
  if (after === undefined) return image.resize({ ...scale, fit: 'fill' });
  return image.resize({ width: after.width, height: after.height, fit: 'cover', position: positionOf(only.gravity) });
}

function requirePixels(pixels: number, limits: RenderLimits): void {
  if (pixels <= limits.outputPixels) return;
  const megapixels = (value: number): string => (value / 1e6).toFixed(2);
  throw new StoreError(
    400,
    `Maximum image size is ${megapixels(limits.outputPixels)} Megapixels. Requested ${megapixels(pixels)} Megapixels`,
  );
}

function encode(image: Sharp, { format, quality }: TargetFormat): Sharp {
  switch (format) {
    case 'jpg':
      return image.flatten({ background: white }).jpeg({ quality });
    case 'png':
      return image.png();
    case 'webp':
      return image.webp({ quality });
    case 'avif':
      return image.avif({ quality, effort: 2 });
    case 'gif':
      return image.gif();
    case 'tiff':
      return image.tiff({ quality });
  }
}
