import express, { type Express } from 'express';
import { identify, requireRole } from './access/access.ts';
import { createFailedTokens } from './access/failed-tokens.ts';
import { hostGuard } from './access/host-guard.ts';
import { sameOriginOnly } from './access/same-origin.ts';
import { createSessions } from './access/session.ts';
import { createTokenCheck } from './access/tokens.ts';
import { createApi } from './api/api.ts';
import { ApiError, answerErrors } from './api/api-error.ts';
import { createDashboard } from './dashboard/dashboard.ts';
import type { AdminDependencies } from './dependencies.ts';
import { createHealth } from './health.ts';
import { createLogin } from './login.ts';
import { createMetricsEndpoint } from './metrics-endpoint.ts';
import { securityHeaders } from './security-headers.ts';

/**
 * The admin side: health, metrics, JSON API, dashboard. A request meets, in this order: security headers; health,
 * which anybody may ask; the guard on the host name; who asks; what may be asked across origins; the route.
 */
export function createAdmin(dependencies: AdminDependencies): Express {
  const { token, readToken, audit } = dependencies;
  const access = {
    guarded: token !== undefined || readToken !== undefined,
    checkToken: createTokenCheck({ token, readToken }),
    sessions: createSessions(),
    failedTokens: createFailedTokens(),
    onWrongToken: (address: string) => audit({ action: 'wrong-token', by: 'nobody', address, outcome: 'refused' }),
  };

  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(securityHeaders);
  app.use(createHealth(dependencies.readiness));
  app.use(hostGuard([dependencies.host, ...(dependencies.hosts ?? [])]));
  app.use(createDashboard({ version: dependencies.version, guarded: access.guarded }));
  app.use('/login', sameOriginOnly, createLogin(access, audit));
  app.use(identify(access), sameOriginOnly, requireRole('read'));
  app.use('/metrics', createMetricsEndpoint(dependencies.registry));
  app.use('/api', createApi(dependencies));
  app.use((request) => {
    throw new ApiError(404, 'no-such-page', `there is no ${request.path} here: see / or /api`);
  });
  app.use(answerErrors(dependencies.report));
  return app;
}
