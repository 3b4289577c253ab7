import type { StoreIdentity } from '../../asset/record.ts';
import type { Library } from '../files/library.ts';
import type { Asset } from '../index/asset.ts';
import { StoreError } from '../store-error.ts';
import { type Change, deliveryTypeOf } from './change-routes.ts';
import { idsOf, listOf, pairsOf, requireText } from './parameter-values.ts';

/** `tags`: add, remove, replace, set_exclusive, remove_all, over many public IDs. */
export const changeTags: Change = async (fields, resourceType, { library }) => {
  const command = requireText(fields, 'command');
  const tags = listOf(fields, 'tag');
  const deliveryType = deliveryTypeOf(fields);
  if (tags.length === 0 && command !== 'remove_all') throw new StoreError(400, 'Missing required parameter - tag');
  const publicIds = requireIds(idsOf(fields, 'public_ids'));
  if (command === 'set_exclusive') removeElsewhere(library, { resourceType, deliveryType }, tags, publicIds);
  const changed = changeEach(library, { resourceType, deliveryType }, publicIds, (asset) => ({
    ...asset,
    tags: changedTags(command, asset.tags, tags),
  }));
  return { public_ids: changed };
};

/** `context`: add or remove_all, over many public IDs. */
export const changeContext: Change = async (fields, resourceType, { library }) => {
  const command = requireText(fields, 'command');
  if (command !== 'add' && command !== 'remove_all') throw new StoreError(400, `Invalid command - ${command}`);
  const added = command === 'add' ? pairsOf(fields, 'context') : {};
  const identity = { resourceType, deliveryType: deliveryTypeOf(fields) };
  const changed = changeEach(library, identity, requireIds(idsOf(fields, 'public_ids')), (asset) => ({
    ...asset,
    context: command === 'add' ? { ...asset.context, ...added } : {},
  }));
  return { public_ids: changed };
};

function requireIds(publicIds: readonly string[]): readonly string[] {
  if (publicIds.length === 0) throw new StoreError(400, 'Missing required parameter - public_ids');
  if (publicIds.length > 1000) throw new StoreError(400, 'Too many public_ids. Maximum is 1000');
  return publicIds;
}

function changedTags(command: string, present: readonly string[], tags: readonly string[]): readonly string[] {
  switch (command) {
    case 'add':
    case 'set_exclusive':
      return [...new Set([...present, ...tags])];
    case 'remove':
      return present.filter((tag) => !tags.includes(tag));
    case 'replace':
      return tags;
    case 'remove_all':
      return [];
    default:
      throw new StoreError(400, `Invalid command - ${command}`);
  }
}

type Kind = Omit<StoreIdentity, 'publicId'>;

/** The public IDs that exist; the others are left out, as Cloudinary does. */
function changeEach(
  library: Library,
  kind: Kind,
  publicIds: readonly string[],
  change: (asset: Asset) => Asset,
): readonly string[] {
  return publicIds.filter((publicId) => library.index.revise({ ...kind, publicId }, change) !== undefined);
}

function removeElsewhere(library: Library, kind: Kind, tags: readonly string[], except: readonly string[]): void {
  for (const tag of tags) {
    const { assets } = library.index.query({ ...kind, tag, limit: 1_000_000 });
    for (const asset of assets.filter(({ publicId }) => !except.includes(publicId))) {
      library.index.revise(asset, (present) => ({ ...present, tags: present.tags.filter((other) => other !== tag) }));
    }
  }
}
