import { type Request, Router } from 'express';
import type { DeliveryType, ResourceType, StoreIdentity } from '../../asset/record.ts';
import { analyseExtra } from '../analysis/extra.ts';
import type { DecoderPool } from '../decoding/decoder-pool.ts';
import type { Library } from '../files/library.ts';
import type { Staging } from '../files/staging.ts';
import { isDeliveryType, isResourceType } from '../index/asset.ts';
import type { AssetQuery } from '../index/asset-index.ts';
import { StoreError } from '../store-error.ts';
import type { Fields } from '../upload/intake/submission.ts';
import { idsOf, textOf } from '../upload/parameter-values.ts';
import { analysisOf } from '../upload/parameters.ts';
import type { AssetResponses, Json } from '../upload/response.ts';
import { adminFields, cursorOf, encodeCursor, pageSizeOf } from './admin-fields.ts';

export interface ResourceRoutesParts {
  readonly library: Library;
  readonly decoders: DecoderPool;
  readonly responses: AssetResponses;
  readonly staging: Staging;
}

/** `resources`: list, by prefix, IDs, tag or context; one; delete. Mounted under `/v1_1/{cloud}`. */
export function resourceRoutes({ library, decoders, responses, staging }: ResourceRoutesParts): Router {
  const router = Router();

  const list = (fields: Fields, query: Omit<AssetQuery, 'limit' | 'after'>): Json => {
    const after = cursorOf(fields);
    const { assets, next } = library.index.query({ ...query, limit: pageSizeOf(fields), ...(after && { after }) });
    return {
      resources: assets.map((asset) => responses.resource(asset)),
      ...(next !== undefined && { next_cursor: encodeCursor(next) }),
    };
  };

  router.get('/resources/:resourceType', async (request, response) => {
    const fields = await adminFields(request, staging);
    response.json(list(fields, { resourceType: typeOf(request), ...filterOf(fields) }));
  });

  router.get('/resources/:resourceType/tags/:tag', async (request, response) => {
    const fields = await adminFields(request, staging);
    response.json(list(fields, { resourceType: typeOf(request), tag: request.params.tag }));
  });

  router.get('/resources/:resourceType/context', async (request, response) => {
    const fields = await adminFields(request, staging);
    const key = textOf(fields, 'key');
    if (key === undefined) throw new StoreError(400, 'Missing required parameter - key');
    const value = textOf(fields, 'value');
    const context = value === undefined ? { key } : { key, value };
    response.json(list(fields, { resourceType: typeOf(request), context }));
  });

  router.get('/resources/:resourceType/:type', async (request, response) => {
    const fields = await adminFields(request, staging);
    const query = { resourceType: typeOf(request), deliveryType: deliveryTypeOf(request), ...filterOf(fields) };
    response.json(list(fields, query));
  });

  // The SDKs write a public ID's slashes as %2F, curl users do not.
  router.get('/resources/:resourceType/:type/*publicId', async (request, response) => {
    const fields = await adminFields(request, staging);
    const asset = library.index.get(identityOf(request));
    if (asset === undefined) throw new StoreError(404, `Resource not found - ${publicIdOf(request)}`);
    const extra = await analyseExtra(decoders, library.blobPath(asset), asset, analysisOf(fields));
    response.json({ ...responses.resource(asset), ...extra, derived: [] });
  });

  router.delete('/resources/:resourceType/tags/:tag', async (request, response) => {
    response.json(await removeAll({ resourceType: typeOf(request), tag: request.params.tag }));
  });

  router.delete('/resources/:resourceType/:type', async (request, response) => {
    const fields = await adminFields(request, staging);
    const publicIds = idsOf(fields, 'public_ids');
    const prefix = textOf(fields, 'prefix');
    const everything = textOf(fields, 'all') !== undefined;
    if (publicIds.length === 0 && prefix === undefined && !everything) {
      throw new StoreError(400, 'Missing required parameter - public_ids, prefix or all');
    }
    const query = { resourceType: typeOf(request), deliveryType: deliveryTypeOf(request) };
    if (publicIds.length > 0) response.json(await removeAll({ ...query, publicIds }));
    else response.json(await removeAll(prefix === undefined ? query : { ...query, prefix }));
  });

  return router;

  async function removeAll(query: Omit<AssetQuery, 'limit' | 'after'>): Promise<Json> {
    const { assets, next } = library.index.query({ ...query, limit: 1000 });
    const deleted = new Map((query.publicIds ?? []).map((publicId) => [publicId, 'not_found']));
    for (const asset of assets) {
      await library.remove(asset);
      deleted.set(asset.publicId, 'deleted');
    }
    return { deleted: Object.fromEntries(deleted), partial: next !== undefined };
  }
}

function filterOf(fields: Fields): Pick<AssetQuery, 'prefix' | 'publicIds'> {
  const prefix = textOf(fields, 'prefix');
  const publicIds = idsOf(fields, 'public_ids');
  return { ...(prefix !== undefined && { prefix }), ...(publicIds.length > 0 && { publicIds }) };
}

function typeOf(request: Request): ResourceType {
  const text = String(request.params.resourceType);
  if (!isResourceType(text)) throw new StoreError(400, `Invalid resource_type - ${text}`);
  return text;
}

function deliveryTypeOf(request: Request): DeliveryType {
  const text = String(request.params.type);
  if (!isDeliveryType(text)) throw new StoreError(400, `Invalid type - ${text}`);
  return text;
}

function publicIdOf(request: Request): string {
  const parts: unknown = request.params.publicId;
  return Array.isArray(parts) ? parts.join('/') : String(parts);
}

function identityOf(request: Request): StoreIdentity {
  return { resourceType: typeOf(request), deliveryType: deliveryTypeOf(request), publicId: publicIdOf(request) };
}
