import type { ResourceType } from '../../asset/record.ts';
import type { MediaFacts } from '../index/asset.ts';
import { StoreError } from '../store-error.ts';
import { type DetectedFormat, detectFormat } from './format.ts';
import { analyseImage, isDecodable } from './image.ts';
import { analyseVideo } from './video.ts';

export interface Analysis extends DetectedFormat {
  readonly facts: MediaFacts;
}

/**
 * What the bytes are. With `auto` the content decides the asset type; a stated type that the content is not is refused.
 *
 * @throws {StoreError} 400
 */
export async function analyse(
  file: { readonly path: string; readonly bytes: number },
  stated: ResourceType | 'auto',
): Promise<Analysis> {
  if (file.bytes === 0) throw new StoreError(400, 'Empty file');
  if (stated === 'raw') return { format: '', resourceType: 'raw', facts: {} };
  const { format, resourceType } = await detectFormat(file.path);
  if (stated !== 'auto' && stated !== resourceType) throw invalidFile(stated);
  if (resourceType === 'raw') return { format: '', resourceType, facts: {} };
  const facts = resourceType === 'image' ? await imageFacts(file.path, format) : await videoFacts(file, format);
  if (facts === undefined) throw invalidFile(resourceType);
  return { format, resourceType, facts };
}

function invalidFile(resourceType: 'image' | 'video'): StoreError {
  return new StoreError(400, resourceType === 'image' ? 'Invalid image file' : 'Unsupported video format or file');
}

async function imageFacts(path: string, format: string): Promise<MediaFacts | undefined> {
  // How many pages a PDF has is told by a decoder, and there is none here: nothing is better than a guess.
  return isDecodable(format) ? analyseImage(path, format) : {};
}

async function videoFacts(
  file: { readonly path: string; readonly bytes: number },
  format: string,
): Promise<MediaFacts | undefined> {
  return isReadableContainer(format) ? analyseVideo(file.path, file.bytes) : { pages: 0 };
}

/** Containers whose tracks we can read; the others are stored as they are. */
const readableContainers = new Set([
  'mp4',
  'm4v',
  'm4a',
  'mov',
  '3gp',
  '3g2',
  'mkv',
  'webm',
  'mp3',
  'wav',
  'ogg',
  'ogv',
  'opus',
  'aac',
  'flac',
  'mts',
  'ts',
]);

function isReadableContainer(format: string): boolean {
  return readableContainers.has(format);
}
