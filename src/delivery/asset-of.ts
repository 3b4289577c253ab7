import type { Asset } from '../asset/asset.ts';
import type { AssetKey } from '../asset/key.ts';
import type { Mapping } from '../config/schema.ts';
import { publicIdOf, resourceTypeOf } from './public-id.ts';
import { withoutSignature } from './signed-delivery.ts';

/** The asset key of a normalised path and query under a mapping. */
export function assetKeyOf(mapping: Mapping, path: string, query: string): AssetKey {
  const asked = mapping.signedDelivery === null ? query : withoutSignature(query);
  return { mapping: mapping.prefix, path: path.slice(mapping.prefix.length), query: keyQuery(mapping.query, asked) };
}

/**
 * Everything that follows from the key. Pure: the same key always gives the same asset. What a warm hit does not need
 * is worked out when it is asked for.
 */
export function assetOf(mapping: Mapping, key: AssetKey): Asset {
  return {
    key,
    get originUrl() {
      return `${mapping.origin}${key.path}${key.query === '' ? '' : `?${key.query}`}`;
    },
    get publicId() {
      return publicIdOf(mapping.folder, key, this.resourceType === 'raw');
    },
    get resourceType() {
      return mapping.resourceType === 'auto' ? (resourceTypeOf(key.path) ?? 'auto') : mapping.resourceType;
    },
    deliveryType: mapping.upload.type,
    get filename() {
      return filenameOf(key.path);
    },
  };
}

/** `key` keeps the query as it is; a list keeps those parameters, in the list's order, so that others change nothing. */
function keyQuery(rule: Mapping['query'], query: string): string {
  if (rule === 'ignore' || query === '') return '';
  if (rule === 'key') return query;
  const parameters = query.split('&');
  return rule
    .flatMap((name) => parameters.filter((parameter) => parameter === name || parameter.startsWith(`${name}=`)))
    .join('&');
}

function filenameOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
