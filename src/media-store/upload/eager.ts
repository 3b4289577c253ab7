import type { Asset } from '../index/asset.ts';
import { StoreError } from '../store-error.ts';
import type { Transformer } from '../transformation/transformer.ts';
import { type EagerItem, parseEagerItem } from './eager-item.ts';
import type { AssetResponses, Json } from './response.ts';

/** Makes the derived pictures and describes them as an upload's `eager` does. One that fails says why. */
export async function makeEager(asset: Asset, transformer: Transformer, responses: AssetResponses): Promise<Json[]> {
  const made: Json[] = [];
  for (const item of asset.eager.map(parseEagerItem)) {
    try {
      made.push(await makeOne(asset, item, transformer, responses));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      made.push({ transformation: item.transformation, status: 'failed', reason: error.message });
    }
  }
  return made;
}

async function makeOne(
  asset: Asset,
  item: EagerItem,
  transformer: Transformer,
  responses: AssetResponses,
): Promise<Json> {
  const picture = await transformer.derive(asset, { ...item, accept: '' });
  const described = describe(asset, item, responses);
  if (picture === undefined) {
    return {
      ...described,
      format: asset.format,
      bytes: asset.bytes,
      width: asset.facts.width,
      height: asset.facts.height,
    };
  }
  const size = await transformer.sizeOf(picture);
  return { ...described, ...size, bytes: picture.file.bytes, format: picture.format };
}

function describe(asset: Asset, item: EagerItem, responses: AssetResponses): Json {
  const url = responses.deliveryUrl(asset, item);
  return { transformation: item.transformation, url, secure_url: url };
}

/** What is answered when the pictures are made later. */
export function pendingEager(asset: Asset, responses: AssetResponses): Json[] {
  return asset.eager.map(parseEagerItem).map((item) => ({ status: 'processing', ...describe(asset, item, responses) }));
}
