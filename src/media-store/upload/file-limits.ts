import type { ResourceType } from '../../asset/record.ts';
import type { MediaFacts } from '../index/asset.ts';
import type { MediaLimits } from '../options.ts';
import { StoreError } from '../store-error.ts';

export function maxBytesOf(resourceType: ResourceType | 'auto', limits: MediaLimits): number {
  switch (resourceType) {
    case 'image':
      return limits.imageBytes;
    case 'video':
      return limits.videoBytes;
    case 'raw':
      return limits.rawBytes;
    case 'auto':
      return Math.max(limits.imageBytes, limits.videoBytes, limits.rawBytes);
  }
}

export function fileTooLarge(bytes: number | string, limit: number): StoreError {
  return new StoreError(400, `File size too large. Got ${bytes}. Maximum is ${limit}.`);
}

/**
 * Holds a file against the plan's limits.
 *
 * @throws {StoreError} 400
 */
export function requireWithinLimits(
  file: { readonly resourceType: ResourceType; readonly bytes: number; readonly facts: MediaFacts },
  limits: MediaLimits,
): void {
  const limit = maxBytesOf(file.resourceType, limits);
  if (file.bytes > limit) throw fileTooLarge(file.bytes, limit);
  if (file.resourceType !== 'image') return;
  const pixels = (file.facts.width ?? 0) * (file.facts.height ?? 0);
  requirePixels('Maximum image size', pixels, limits.imagePixels);
  requirePixels('Maximum total number of pixels', pixels * (file.facts.pages ?? 1), limits.assetPixels);
}

function requirePixels(what: string, pixels: number, limit: number): void {
  if (pixels <= limit) return;
  const megapixels = (value: number): string => (value / 1e6).toFixed(2);
  throw new StoreError(400, `${what} is ${megapixels(limit)} Megapixels. Got ${megapixels(pixels)} Megapixels`);
}
