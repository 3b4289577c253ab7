import { StoreError } from '../store-error.ts';
import type { Quality } from './component.ts';

const encodable = ['jpg', 'png', 'webp', 'avif', 'gif', 'tiff'] as const;
export type EncodableFormat = (typeof encodable)[number];

export interface TargetFormat {
  readonly format: EncodableFormat;
  /** 1 to 100, for the formats that lose something. */
  readonly quality: number;
}

/** @throws {StoreError} 400 for a format that cannot be written here */
export function requireEncodable(format: string): EncodableFormat {
  const name = format === 'jpeg' || format === 'jpe' ? 'jpg' : format === 'tif' ? 'tiff' : format;
  const known = encodable.find((candidate) => candidate === name);
  if (known === undefined) {
    throw new StoreError(400, `Unsupported transformation - f_${format}: not supported by the embedded store`);
  }
  return known;
}

/** What `f_auto` delivers: the smallest format that the client accepts, and one that everybody reads otherwise. */
export function automaticFormat(
  accept: string,
  source: { readonly format: string; readonly pages: number },
): EncodableFormat {
  const accepts = (type: string): boolean => accept.toLowerCase().includes(type);
  if (accepts('image/avif') && source.pages <= 1) return 'avif';
  if (accepts('image/webp')) return 'webp';
  if (source.pages > 1) return 'gif';
  return source.format === 'jpg' ? 'jpg' : 'png';
}

const automatic: Readonly<Record<Exclude<Quality, number>, number>> = {
  auto: 80,
  'auto:best': 92,
  'auto:good': 80,
  'auto:eco': 70,
  'auto:low': 55,
};

/** AVIF looks as good at a lower number. */
const AVIF_OFFSET = 25;

export function qualityOf(quality: Quality | undefined, format: EncodableFormat): number {
  if (typeof quality === 'number') return Math.round(quality);
  const chosen = automatic[quality ?? 'auto'];
  return format === 'avif' ? chosen - AVIF_OFFSET : chosen;
}
