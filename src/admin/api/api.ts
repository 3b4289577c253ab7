import { Router } from 'express';
import { accessOf } from '../access/access.ts';
import type { AdminDependencies } from '../dependencies.ts';
import { ApiError, only } from './api-error.ts';
import { createAssetRoutes } from './assets.ts';
import { createChangeRoutes } from './changes.ts';
import { createOverviewRoutes } from './overview.ts';
import { RecentAssets } from './recent.ts';
import { createRetry } from './retry.ts';
import { AssetRuns } from './runs.ts';

/** The JSON API: everything the dashboard shows and does goes through it. */
export function createApi(dependencies: AdminDependencies): Router {
  const { ledger, signal } = dependencies;
  const router = Router();
  router.use((_request, response, next) => {
    response.set('cache-control', 'no-store');
    next();
  });
  router
    .route('/session')
    .get((_request, response) => void response.json(accessOf(response)))
    .all(only('GET', 'HEAD'));
  const runs = new AssetRuns(ledger, signal);
  router.use(createOverviewRoutes(dependencies, new RecentAssets(ledger, signal), runs));
  router.use(createAssetRoutes(dependencies));
  router.use(createChangeRoutes(dependencies, createRetry(dependencies), runs));
  router.use((request) => {
    throw new ApiError(
      404,
      'no-such-route',
      `there is no ${request.method} /api${request.path}: docs/operations.md lists the routes`,
    );
  });
  return router;
}
