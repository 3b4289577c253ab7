import { randomUUID } from 'node:crypto';
import express, { type Express, type RequestHandler, type Router } from 'express';
import type { Delivery } from './delivery/delivery.ts';
import { answerApiErrors, type ErrorLog } from './error-response.ts';
import type { Settings } from './options.ts';
import { StoreError } from './store-error.ts';

export interface ServerParts {
  readonly settings: Settings;
  /** Sees every request before anything else does. */
  readonly first: readonly RequestHandler[];
  /** Routers under `/v1_1/{cloud}`, asked in this order. */
  readonly api: readonly Router[];
  readonly delivery: Delivery;
  readonly log: ErrorLog;
}

/** The order a request meets: counter and faults → request id → API (`/v1_1/{cloud}/…`) → delivery URLs. */
export function createServerApp({ settings, first, api, delivery, log }: ServerParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(...first, (_request, response, next) => {
    response.set('x-request-id', randomUUID());
    next();
  });
  app.use('/v1_1', allowBrowsers, requireCloud(settings.cloudName));
  app.use(`/v1_1/${settings.cloudName}`, ...api, unknownCall, answerApiErrors(log));
  app.use('/v1_1', answerApiErrors(log));
  // Not a route: Express decodes a route's parameters, and `/100%.jpg` would be refused before it is read.
  app.use((request, response) => delivery.answer(request, response));
  return app;
}

/** Uploads straight from a browser: any site may call, credentials go in the parameters. */
const allowBrowsers: RequestHandler = (request, response, next) => {
  response.set({
    'access-control-allow-origin': '*',
    'access-control-expose-headers':
      'X-Cld-Error, X-Request-Id, X-FeatureRateLimit-Limit, X-FeatureRateLimit-Remaining, X-FeatureRateLimit-Reset',
    'cache-control': 'no-store',
  });
  if (request.method !== 'OPTIONS') return next();
  response
    .set({
      'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
      'access-control-allow-headers':
        'Authorization, Cache-Control, Content-Range, Content-Type, DPR, Viewport-Width, X-CSRF-Token, X-Prototype-Version, X-Requested-With, X-Unique-Upload-Id',
      'access-control-max-age': '86400',
    })
    .status(200)
    .end();
};

function requireCloud(cloudName: string): RequestHandler {
  return (request, _response, next) => {
    const given = request.path.split('/')[1] ?? '';
    if (given !== cloudName) throw new StoreError(401, `Invalid cloud_name ${given}`);
    next();
  };
}

const unknownCall: RequestHandler = (request) => {
  throw new StoreError(
    404,
    `Unsupported API call - ${request.method} ${request.path}: not supported by the embedded store`,
  );
};
