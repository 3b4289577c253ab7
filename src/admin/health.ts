import { Router } from 'express';
import { only } from './api/api-error.ts';

export interface Readiness {
  /** False takes this process out of the load balancer's rotation. */
  readonly ready: boolean;
  readonly ledger: 'up' | 'down';
  readonly store: 'up' | 'down';
  /** One sentence for each thing that is wrong, also where the process is ready in spite of it. */
  readonly reasons: readonly string[];
}

/** `/healthz`: the process lives. `/readyz`: it can do its work, and if not, why. For probes: no token, any host name. */
export function createHealth(readiness: () => Readiness | Promise<Readiness>): Router {
  const router = Router();
  router
    .route('/healthz')
    .get((_request, response) => {
      response.set('cache-control', 'no-store').type('text/plain').send('alive\n');
    })
    .all(only('GET', 'HEAD'));
  router
    .route('/readyz')
    .get(async (_request, response) => {
      const { ready, ledger, store, reasons } = await readiness();
      response.set('cache-control', 'no-store');
      response.status(ready ? 200 : 503).json({ ready, ledger, store, reasons });
    })
    .all(only('GET', 'HEAD'));
  return router;
}
