import type { DecoderPool } from '../decoding/decoder-pool.ts';
import { DecodingStopped } from '../decoding/decoder-process.ts';
import type { Asset } from '../index/asset.ts';
import { isDecodable } from './decodable.ts';
import type { ExtraAnalysis } from './read-extra.ts';

/** The analysis data that is made on request only. Nothing for what is no picture that we can decode, or not in time. */
export async function analyseExtra(
  decoders: DecoderPool,
  path: string,
  asset: Asset,
  wanted: ExtraAnalysis,
): Promise<Record<string, unknown>> {
  const wantsNothing = !wanted.colors && !wanted.phash && wanted.metadata.length === 0;
  if (wantsNothing || asset.resourceType !== 'image' || !isDecodable(asset.format)) return {};
  try {
    return await decoders.run('readExtra', path, asset.format, wanted);
  } catch (error) {
    // The picture is stored already: what embedded metadata does to its reader is no reason to refuse it.
    if (error instanceof DecodingStopped) return {};
    throw error;
  }
}
