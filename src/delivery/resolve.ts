import type { Asset } from '../asset/asset.ts';
import { decodePublicId, encodePublicId, parseDeliveryUrl } from '../cloudinary/delivery-url.ts';
import { queryTransformation } from '../cloudinary/query-transformation.ts';
import type { Mapping } from '../config/schema.ts';
import { assetKeyOf, assetOf } from './asset-of.ts';
import type { MappingTable } from './mapping-table.ts';
import { type PathProblem, parseTarget } from './path.ts';

export type Resolution =
  | {
      readonly kind: 'asset';
      readonly mapping: Mapping;
      readonly asset: Asset;
      /** As Cloudinary writes it; empty for none. */
      readonly transformation: string;
      /** Normalised. It may sign the URL (`signed-delivery.ts`). */
      readonly query: string;
      /** The extension may be a format to convert to: the URL is one of Cloudinary's grammar. */
      readonly convertible: boolean;
    }
  /** No mapping fits. */
  | { readonly kind: 'unmapped' }
  /** A mapping's prefix with nothing after it. */
  | { readonly kind: 'no-name'; readonly mapping: Mapping }
  | { readonly kind: 'bad-target'; readonly problem: PathProblem };

export interface ResolveOptions {
  readonly table: MappingTable;
  /** Cloud name that Cloudinary-grammar URLs may begin with. */
  readonly cloudName: string;
}

/**
 * What a request target means: a path of the site's own, or a delivery URL in Cloudinary's grammar whose public ID
 * lies in a mapping's folder, read as auto-upload reads it: what follows the folder is the path at the origin
 * (contract §8.2). Own paths win, except those of a mapping of everything (`/`).
 */
export function resolve(target: string, options: ResolveOptions): Resolution {
  const parsed = parseTarget(target);
  if (!parsed.ok) return { kind: 'bad-target', problem: parsed.problem };
  const own = options.table.match(parsed.path);
  if (own === undefined || own.prefix === '/') {
    const delivered = resolveDeliveryUrl(parsed.path, parsed.query, options);
    if (delivered !== undefined) return delivered;
  }
  if (own === undefined) return { kind: 'unmapped' };
  const asked = own.queryTransformation ? queryTransformation(parsed.query) : '';
  const asset = assetOf(own, assetKeyOf(own, parsed.path, parsed.query));
  return assetAt(own, asset, { query: parsed.query, transformations: asked === '' ? [] : [asked], convertible: false });
}

function resolveDeliveryUrl(path: string, query: string, { table, cloudName }: ResolveOptions): Resolution | undefined {
  const parsed = parseDeliveryUrl(path, {
    cloud: 'either',
    isSource: (parts, at) => table.isFolderAt(parts, at),
  });
  if (!parsed.ok) return undefined;
  const { url } = parsed;
  if (url.cloud !== undefined && url.cloud !== cloudName) return undefined;
  if (url.form !== 'full' && url.form !== 'short') return undefined;
  const name = decodePublicId(url.source);
  const mapping = table.matchFolder(name);
  if (mapping === undefined || mapping.upload.type !== url.deliveryType) return undefined;
  const rest = mapping.folder === '' ? name : name.slice(mapping.folder.length + 1);
  const inner = parseTarget(`${mapping.prefix}${encodePublicId(rest)}`);
  if (!inner.ok) return { kind: 'bad-target', problem: inner.problem };
  // A public ID holds no query: what follows the `?` names no object.
  const asset = assetOf(mapping, assetKeyOf(mapping, inner.path, ''));
  const convertible = url.resourceType === 'image';
  return assetAt(mapping, asset, { query, transformations: url.transformations, convertible });
}

interface Asked {
  readonly query: string;
  readonly transformations: readonly string[];
  readonly convertible: boolean;
}

function assetAt(mapping: Mapping, asset: Asset, { query, transformations, convertible }: Asked): Resolution {
  if (asset.key.path === '') return { kind: 'no-name', mapping };
  const all = mapping.transformation === undefined ? transformations : [...transformations, mapping.transformation];
  return { kind: 'asset', mapping, asset, transformation: all.join('/'), query, convertible };
}
