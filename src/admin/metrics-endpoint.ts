import { Router } from 'express';
import type { Registry } from 'prom-client';
import { only } from './api/api-error.ts';

/** The Prometheus text exposition. With workers the registry is the one that gathers theirs. */
export function createMetricsEndpoint(registry: Pick<Registry, 'contentType' | 'metrics'>): Router {
  const router = Router();
  router
    .route('/')
    .get(async (_request, response) => {
      response
        .set({ 'content-type': registry.contentType, 'cache-control': 'no-store' })
        .send(await registry.metrics());
    })
    .all(only('GET', 'HEAD'));
  return router;
}
