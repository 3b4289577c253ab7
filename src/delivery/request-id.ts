import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const process = randomBytes(6).toString('base64url');
let count = 0;

/** The request's own `X-Request-Id` where a CDN gave it one that is fit for a log, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  if (typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given)) return given;
  count += 1;
  return `${process}-${count.toString(36)}`;
}
