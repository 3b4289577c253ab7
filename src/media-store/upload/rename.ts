import type { Asset } from '../index/asset.ts';
import { StoreError } from '../store-error.ts';
import { type Change, deliveryTypeOf } from './change-routes.ts';
import { flagOf, requireText } from './parameter-values.ts';
import { requireValidPublicId } from './public-id.ts';

/** `rename`: to another public ID, another delivery type, or both. The bytes do not move. */
export const rename: Change = async (fields, resourceType, { library, responses, settings }) => {
  const publicId = requireText(fields, 'from_public_id');
  const from = { resourceType, deliveryType: deliveryTypeOf(fields), publicId };
  const to = requireText(fields, 'to_public_id');
  requireValidPublicId(to);
  const present = library.index.get(from);
  if (present === undefined) throw new StoreError(404, `Resource not found - ${publicId}`);
  const renamed: Asset = {
    ...present,
    publicId: to,
    deliveryType: fields.has('to_type') ? deliveryTypeOf(fields, 'to_type') : from.deliveryType,
    version: Math.max(Math.floor(settings.clock() / 1000), present.version + 1),
  };
  await library.move(present, renamed, (target) => {
    if (target !== undefined && !flagOf(fields, 'overwrite')) {
      throw new StoreError(400, `to_public_id (${to}) already exists`);
    }
  });
  return responses.uploaded(renamed);
};
