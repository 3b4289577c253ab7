import { createHash } from 'node:crypto';
import type { Mapping } from '../config/schema.ts';
import { effectiveType } from '../http/media-type.ts';
import type { OriginResponse } from '../origin/origin.ts';
import { forbidsSharing, isForSomebody } from '../origin/sharing.ts';

/**
 * What every delivered answer carries. Media is public here: no credentials of the client reach the origin or the
 * store, so any page may read it (Fetch §3.2) and time it (Resource Timing §4.5).
 */
export const publicHeaders = {
  'access-control-allow-origin': '*',
  'timing-allow-origin': '*',
  'x-content-type-options': 'nosniff',
  via: '1.1 lazyferry',
} as const;

/** Errors that no mapping speaks for: long enough to blunt a stampede, short enough that nobody waits for the mend. */
export const errorCacheControl = 'public, max-age=0, s-maxage=5';

const hitStatus = 'lazyferry; hit';

/** `Cache-Status` (RFC 9211). `fwd` absent: answered from what we store. */
export function cacheStatus(forward?: { readonly status?: number; readonly detail?: string }): string {
  if (forward === undefined) return hitStatus;
  const status = forward.status === undefined ? '' : `; fwd-status=${forward.status}`;
  const detail = forward.detail === undefined ? '' : `; detail=${forward.detail}`;
  return `lazyferry; fwd=uri-miss${status}${detail}`;
}

/** True when only the end of the connection will mark the end of the body (RFC 9112 §6.3). */
export function isUnproven(origin: OriginResponse): boolean {
  return !origin.framed && origin.length === undefined;
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
export function coldHeaders(origin: OriginResponse, mapping: Mapping, id: string): Record<string, string> {
  const headers: Record<string, string> = {
    ...publicHeaders,
    ...cacheTags(mapping, id),
    ...sandbox(origin.headers['content-type']),
  };
  for (const name of passedOn) {
    const value = origin.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  if (origin.length !== undefined) headers['content-length'] = String(origin.length);
  if (origin.status >= 400) headers['cache-control'] = mapping.cache.error;
  // Nothing shows that such a body is whole, so nobody may keep it.
  else if (isUnproven(origin)) headers['cache-control'] = 'no-store';
  else if (forbidsSharing(origin)) headers['cache-control'] = sharingForbidden(origin.headers['cache-control']);
  else headers['cache-control'] = mapping.cache.cold;
  headers['cache-status'] = cacheStatus({ status: origin.status });
  return headers;
}

/** The origin's own word where it forbids it by that; where it does so otherwise, what says it to every cache. */
function sharingForbidden(cacheControl: string | undefined): string {
  return cacheControl !== undefined && isForSomebody(cacheControl) ? cacheControl : 'private, no-store';
}

/** A picture, and a document that can run scripts. */
const svg = /^\s*image\/svg/i;
/** Documents that a browser runs scripts of: HTML, and XML of any kind, which may hold elements of HTML. */
const scripted = /^\s*(?:text\/(?:html|xml|xsl)|application\/xml|message\/rfc822|multipart\/|[^;,\s]+\+xml)/i;

/**
 * What keeps a document from running scripts on the site's own host, were it opened by itself: a sandbox, and for what
 * is no picture a download where the origin does not say otherwise. Pictures embedded in pages are not affected.
 */
export function sandbox(contentType = ''): Record<string, string> {
  const type = effectiveType(contentType);
  if (!svg.test(type) && !scripted.test(type)) return {};
  return {
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
    ...(svg.test(type) ? {} : { 'content-disposition': 'attachment' }),
  };
}

/**
 * Names by which a CDN can purge: everything, a mapping, one asset. `Surrogate-Key` for Fastly and Varnish,
 * `Cache-Tag` for Cloudflare and Akamai.
 *
 * @param id encoded asset key
 */
export function cacheTags(mapping: Mapping, id: string): Record<string, string> {
  const tags = ['lazyferry', mappingTag(mapping.prefix), assetTag(id)];
  return { 'surrogate-key': tags.join(' '), 'cache-tag': tags.join(',') };
}

function mappingTag(prefix: string): string {
  return `lazyferry-mapping${prefix.replace(/[^A-Za-z0-9]+/g, '-').replace(/-$/, '')}`;
}

function assetTag(id: string): string {
  return `lazyferry-asset-${createHash('sha256').update(id).digest('hex').slice(0, 16)}`;
}
