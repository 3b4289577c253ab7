import { type RequestHandler, Router } from 'express';
import type { Settings } from '../options.ts';
import { requireAuthorization } from '../upload/authentication.ts';
import type { HourlyLimit } from './rate-limit.ts';

/** Paths of the Admin API; everything else under `/v1_1/{cloud}` is the Upload API's. */
const adminPaths = /^\/(?:ping|usage|resources|tags|upload_mappings|upload_presets|transformations)(?:\/|$)/;

/** The Admin API: credentials and the hourly limit first, then the routes. */
export function adminRoutes(settings: Settings, limit: HourlyLimit, routes: readonly Router[]): Router {
  const guard: RequestHandler = (request, response, next) => {
    requireAuthorization(request.headers.authorization, settings);
    response.set(limit.take());
    next();
  };
  const admin = Router();
  admin.use(guard, ...routes);
  const router = Router();
  router.use((request, response, next) => {
    if (adminPaths.test(request.path)) admin(request, response, next);
    else next();
  });
  return router;
}
