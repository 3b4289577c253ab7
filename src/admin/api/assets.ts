import { Router } from 'express';
import type { Mapping } from '../../config/schema.ts';
import type { LedgerQuery } from '../../ledger/ledger.ts';
import type { AdminDependencies } from '../dependencies.ts';
import { ApiError, only } from './api-error.ts';
import { assetsQuery, explainQuery, parseInput } from './input.ts';
import { verdictOf } from './verdict.ts';
import { recordView } from './views.ts';

export interface AssetFilter {
  readonly mapping?: string | undefined;
  readonly state?: LedgerQuery['states'] | undefined;
  readonly reason?: LedgerQuery['reasons'] | undefined;
  readonly path?: string | undefined;
}

/** `/assets`: pages of the ledger. `/explain`: one delivery path, what is known of it and what comes next. */
export function createAssetRoutes({
  ledger,
  explain,
  copyUrl,
  mappings,
}: Pick<AdminDependencies, 'ledger' | 'explain' | 'copyUrl' | 'mappings'>): Router {
  const router = Router();
  router
    .route('/assets')
    .get(async (request, response) => {
      const { limit, after, ...filter } = parseInput(assetsQuery, request.query);
      const query = ledgerFilter(filter, mappings());
      const page = await ledger.query({ ...query, limit, ...(after !== undefined && { after }) }).catch(wrongCursor);
      response.json({ assets: page.records.map((record) => recordView(record, copyUrl)), next: page.next ?? null });
    })
    .all(only('GET', 'HEAD'));
  router
    .route('/explain')
    .get(async (request, response) => {
      const { path } = parseInput(explainQuery, request.query);
      const explanation = explain(path);
      if (explanation.kind !== 'mapped') {
        return void response.json({ path, ...explanation, verdict: `Requests get an error: ${explanation.detail}` });
      }
      const mapping = mappings().find(({ prefix }) => prefix === explanation.key.mapping);
      if (mapping === undefined) throw new ApiError(409, 'reloading', 'the mappings have just changed: ask again');
      const record = await ledger.lookup(explanation.key);
      response.json({
        path,
        ...explanation,
        cold: mapping.cold,
        warm: mapping.warm,
        record: record === undefined ? null : recordView(record, copyUrl),
        verdict: verdictOf(record, mapping),
      });
    })
    .all(only('GET', 'HEAD'));
  return router;
}

/** A path without a mapping is a delivery path: its mapping is the one with the longest prefix that fits. */
export function ledgerFilter(
  { mapping, state, reason, path }: AssetFilter,
  mappings: readonly Mapping[],
): Omit<LedgerQuery, 'limit' | 'after'> {
  const words = { ...(state !== undefined && { states: state }), ...(reason !== undefined && { reasons: reason }) };
  if (mapping !== undefined) return { ...words, mapping, ...(path !== undefined && { pathPrefix: path }) };
  if (path === undefined || path === '' || path === '/') return words;
  const fitting = mappings
    .filter(({ prefix }) => path.startsWith(prefix))
    .toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
  if (fitting === undefined) {
    throw new ApiError(
      400,
      'no-mapping',
      `path: no mapping’s prefix begins ${JSON.stringify(path)}; there are ${mappings.map(({ prefix }) => prefix).join(', ')}`,
    );
  }
  return { ...words, mapping: fitting.prefix, pathPrefix: path.slice(fitting.prefix.length) };
}

/** A ledger refuses a cursor it never gave with a TypeError. */
function wrongCursor(error: unknown): never {
  if (!(error instanceof TypeError)) throw error;
  throw new ApiError(400, 'bad-parameter', 'after: not a page’s end; use the next of the page before');
}
