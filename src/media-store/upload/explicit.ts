import type { Asset } from '../index/asset.ts';
import { StoreError } from '../store-error.ts';
import { type Change, deliveryTypeOf } from './change-routes.ts';
import type { Completion } from './completion.ts';
import { requireText } from './parameter-values.ts';
import { readUploadParameters } from './parameters.ts';

/** `explicit`: new eager pictures, tags, context, … for an asset that is stored. What is not sent stays as it is. */
export function explicit(completion: Completion): Change {
  return async (fields, resourceType, { library }) => {
    const publicId = requireText(fields, 'public_id');
    const identity = { resourceType, deliveryType: deliveryTypeOf(fields), publicId };
    const parameters = readUploadParameters(fields);
    const asset = library.index.revise(
      identity,
      (present): Asset => ({
        ...present,
        ...(fields.has('tags') && { tags: parameters.tags }),
        ...(fields.has('context') && { context: parameters.context }),
        ...(fields.has('metadata') && { metadata: parameters.metadata }),
        ...(fields.has('headers') && { headers: parameters.headers }),
        ...(fields.has('moderation') && { moderation: parameters.moderation }),
        ...(parameters.assetFolder !== undefined && { assetFolder: parameters.assetFolder }),
        ...(parameters.displayName !== undefined && { displayName: parameters.displayName }),
        ...(fields.has('eager') && { eager: parameters.eager }),
      }),
    );
    if (asset === undefined) throw new StoreError(404, `Resource not found - ${publicId}`);
    // Only the pictures asked for now are made.
    const shown = fields.has('eager') ? asset : { ...asset, eager: [] };
    return completion.complete({ asset: shown, kind: 'created' }, parameters, 'explicit');
  };
}
