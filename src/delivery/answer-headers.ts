import type { OriginResponse } from '../origin/origin.ts';

/**
 * What every delivered answer carries. Media is public here: no credentials of the client reach the origin or the
 * store, so any page may read it (Fetch §3.2) and time it (Resource Timing §4.5).
 */
export const publicHeaders = {
  'access-control-allow-origin': '*',
  'timing-allow-origin': '*',
  'x-content-type-options': 'nosniff',
} as const;

/** Redirects and streams of stored copies: the CDN may hold them, and serve them on when we are down. */
export const warmCacheControl = 'public, max-age=300, s-maxage=3600, stale-while-revalidate=60, stale-if-error=86400';

/** Answers from the origin while the copy is made: a CDN that comes back soon learns where the copy is. */
const coldCacheControl = 'public, max-age=60, s-maxage=5';

/** Errors: long enough to blunt a stampede, short enough that nobody waits for the mend. */
export const errorCacheControl = 'public, max-age=0, s-maxage=5';

const hitStatus = 'lazyferry; hit';

/** `Cache-Status` (RFC 9211). `fwd` absent: answered from what we store. */
export function cacheStatus(forward?: { readonly status?: number; readonly detail?: string }): string {
  if (forward === undefined) return hitStatus;
  const status = forward.status === undefined ? '' : `; fwd-status=${forward.status}`;
  const detail = forward.detail === undefined ? '' : `; detail=${forward.detail}`;
  return `lazyferry; fwd=uri-miss${status}${detail}`;
}

/** True when the origin forbids shared caches, and so also a copy at the store (RFC 9111 §5.2.2). */
export function forbidsSharing(origin: OriginResponse): boolean {
  const directives = (origin.headers['cache-control'] ?? '')
    .toLowerCase()
    .split(',')
    .map((part) => part.trim());
  return (
    directives.some((directive) => directive === 'no-store' || directive.startsWith('private')) ||
    origin.headers['set-cookie'] !== undefined ||
    (origin.headers.vary ?? '').trim() === '*'
  );
}

const passedOn = [
  'content-type',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-range',
  'accept-ranges',
  'etag',
  'last-modified',
  'retry-after',
] as const;

/** The head of an answer that comes from the origin while the asset is cold. */
export function coldHeaders(origin: OriginResponse): Record<string, string> {
  const headers: Record<string, string> = { ...publicHeaders };
  for (const name of passedOn) {
    const value = origin.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  if (origin.length !== undefined) headers['content-length'] = String(origin.length);
  if (origin.status >= 400) headers['cache-control'] = errorCacheControl;
  else if (forbidsSharing(origin)) headers['cache-control'] = origin.headers['cache-control'] ?? 'private, no-store';
  else headers['cache-control'] = coldCacheControl;
  headers['cache-status'] = cacheStatus({ status: origin.status });
  return headers;
}
