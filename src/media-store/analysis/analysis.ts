import type { ResourceType } from '../../asset/record.ts';
import type { DecoderPool } from '../decoding/decoder-pool.ts';
import { DecodingStopped } from '../decoding/decoder-process.ts';
import type { MediaFacts } from '../index/asset.ts';
import { StoreError } from '../store-error.ts';
import { isDecodable } from './decodable.ts';
import type { DetectedFormat } from './format.ts';

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
  decoders: DecoderPool,
): Promise<Analysis> {
  if (file.bytes === 0) throw new StoreError(400, 'Empty file');
  if (stated === 'raw') return { format: '', resourceType: 'raw', facts: {} };
  const { format, resourceType } = await unlessStopped(decoders.run('detectFormat', file.path), () => {
    throw new StoreError(400, 'Invalid file: what it is cannot be told');
  });
  if (stated !== 'auto' && stated !== resourceType) throw invalidFile(stated);
  if (resourceType === 'raw') return { format: '', resourceType, facts: {} };
  const facts =
    resourceType === 'image' ? await imageFacts(file.path, format, decoders) : await videoFacts(file, format, decoders);
  if (facts === undefined) throw invalidFile(resourceType);
  return { format, resourceType, facts };
}

function invalidFile(resourceType: 'image' | 'video'): StoreError {
  return new StoreError(400, resourceType === 'image' ? 'Invalid image file' : 'Unsupported video format or file');
}

async function imageFacts(path: string, format: string, decoders: DecoderPool): Promise<MediaFacts | undefined> {
  // How many pages a PDF has is told by a decoder, and there is none here: nothing is better than a guess.
  if (!isDecodable(format)) return {};
  return unlessStopped(decoders.run('analyseImage', path, format), () => undefined);
}

async function videoFacts(
  file: { readonly path: string; readonly bytes: number },
  format: string,
  decoders: DecoderPool,
): Promise<MediaFacts | undefined> {
  if (!isReadableContainer(format)) return { pages: 0 };
  // It is never decoded here: one that is too long to be read is stored without its facts.
  return unlessStopped(decoders.run('analyseVideo', file.path, file.bytes), () => ({ pages: 0 }));
}

/** What the decoder tells, or, where it took too long or ended, what `otherwise` says. */
async function unlessStopped<T>(decoded: Promise<T>, otherwise: () => T): Promise<T> {
  try {
    return await decoded;
  } catch (error) {
    if (error instanceof DecodingStopped) return otherwise();
    throw error;
  }
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
