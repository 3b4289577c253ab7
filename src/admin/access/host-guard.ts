import { isIP } from 'node:net';
import type { RequestHandler } from 'express';
import { ApiError } from '../api/api-error.ts';

/**
 * Refuses requests for a host name that is not ours. A foreign page can make its own name resolve to 127.0.0.1 (DNS
 * rebinding) and so become "same origin" with us; it cannot make its address bar show an IP literal, `localhost` or a
 * name the operator configured.
 */
export function hostGuard(names: readonly string[]): RequestHandler {
  const known = new Set(names.map((name) => name.toLowerCase()));
  return (request, _response, next) => {
    const host = hostname(request.headers.host);
    if (host !== undefined && (isIP(host) !== 0 || isLocalhost(host) || known.has(host))) return next();
    throw new ApiError(
      421,
      'unknown-host',
      `this admin side does not answer to ${JSON.stringify(request.headers.host ?? '')}: use its address, or name the host under admin.hosts`,
    );
  };
}

function isLocalhost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}

/** The host of a `Host` header in lower case, without port, brackets and the root dot. */
function hostname(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:@/?#\\[\]]+))(?::\d{1,5})?$/i.exec(header ?? '');
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '');
}
