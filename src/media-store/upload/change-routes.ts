import { type Request, type Response, Router } from 'express';
import type { DeliveryType, ResourceType } from '../../asset/record.ts';
import type { Library } from '../files/library.ts';
import type { Staging } from '../files/staging.ts';
import { isDeliveryType, isResourceType } from '../index/asset.ts';
import type { Settings } from '../options.ts';
import { StoreError } from '../store-error.ts';
import { authenticate } from './authentication.ts';
import { readSubmission } from './intake/intake.ts';
import type { Fields } from './intake/submission.ts';
import { requireText, textOf } from './parameter-values.ts';
import { requireSupported } from './parameters.ts';
import type { AssetResponses, Json } from './response.ts';

export interface ChangeRoutesParts {
  readonly library: Library;
  readonly staging: Staging;
  readonly responses: AssetResponses;
  readonly settings: Settings;
}

/** One call that changes what is stored. */
export type Change = (fields: Fields, resourceType: ResourceType, parts: ChangeRoutesParts) => Promise<Json>;

const common = ['type', 'timestamp', 'api_key', 'signature', 'resource_type', 'cloud_name', 'invalidate'];

/** What each call understands; `explicit` reads upload parameters, which are checked where they are read. */
const parametersOf: Readonly<Record<string, readonly string[]>> = {
  destroy: ['public_id'],
  rename: ['from_public_id', 'to_public_id', 'to_type', 'overwrite'],
  tags: ['command', 'tag', 'public_ids'],
  context: ['command', 'context', 'public_ids'],
};

/** The Upload API's calls besides uploading: each authenticated, none with a file. Mounted under `/v1_1/{cloud}`. */
export function changeRoutes(changes: Readonly<Record<string, Change>>, parts: ChangeRoutesParts): Router {
  const router = Router();
  const run = async (action: string, change: Change, request: Request, response: Response) => {
    const resourceType = String(request.params.resourceType);
    if (!isResourceType(resourceType)) throw new StoreError(400, `Invalid resource_type - ${resourceType}`);
    const { fields } = await readSubmission(request, parts.staging, { maxFileBytes: 0 });
    if (authenticate(fields, request.headers.authorization, parts.settings) === 'unsigned') {
      throw new StoreError(401, 'Missing required parameter - signature');
    }
    const own = parametersOf[action];
    if (own !== undefined) requireSupported(fields, new Set([...common, ...own]));
    response.json(await change(fields, resourceType, parts));
  };
  router.post('/:resourceType/:action', (request, response, next) => {
    const { resourceType, action } = request.params;
    const change = Object.hasOwn(changes, action) ? changes[action] : undefined;
    if (change === undefined || !isResourceType(resourceType)) return next();
    return run(action, change, request, response);
  });
  return router;
}

export function deliveryTypeOf(fields: Fields, name = 'type'): DeliveryType {
  const type = textOf(fields, name) ?? 'upload';
  if (!isDeliveryType(type)) throw new StoreError(400, `Invalid ${name} - ${type}`);
  return type;
}

export const destroy: Change = async (fields, resourceType, { library }) => {
  const publicId = requireText(fields, 'public_id');
  const removed = await library.remove({ resourceType, deliveryType: deliveryTypeOf(fields), publicId });
  return { result: removed === undefined ? 'not found' : 'ok' };
};
