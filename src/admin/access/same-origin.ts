import type { Request, RequestHandler } from 'express';
import { ApiError } from '../api/api-error.ts';
import { accessOf } from './access.ts';

/** A page of another origin cannot send this header without a preflight, and we answer no preflight. */
const requestHeader = 'x-lazyferry-request';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses what a foreign page makes a browser send. Bearer tokens are never sent by themselves, so requests with one
 * are free of this; sessions and the token-less loopback are not.
 */
export const sameOriginOnly: RequestHandler = (request, response, next) => {
  if (accessOf(response)?.via === 'token') return next();
  const problem = foreign(request);
  if (problem !== undefined) throw new ApiError(403, 'foreign-origin', problem);
  if (!safeMethods.has(request.method) && request.headers[requestHeader] === undefined) {
    throw new ApiError(
      403,
      'request-header-missing',
      `a change needs the header "${requestHeader}: 1" unless it carries a bearer token: it shows that no foreign page sent it`,
    );
  }
  next();
};

function foreign(request: Request): string | undefined {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return `the browser says that this request comes from another origin (Sec-Fetch-Site: ${JSON.stringify(site)}): use the dashboard or a client that is no browser`;
  }
  const { origin, host } = request.headers;
  if (origin === undefined) return undefined;
  // Behind a proxy that ends TLS the scheme differs; host and port do not.
  const same = URL.canParse(origin) && (new URL(origin).host === host || new URL(origin).host === hostOf(host, origin));
  return same ? undefined : `Origin ${JSON.stringify(origin)} is not this host: use the dashboard of ${host ?? 'it'}`;
}

/** The `Host` header as the URL parser writes it: lower case, without the scheme's default port. */
function hostOf(host: string | undefined, origin: string): string | undefined {
  const url = `${new URL(origin).protocol}//${host ?? ''}`;
  return URL.canParse(url) ? new URL(url).host : undefined;
}
