import type { OriginResponse } from './origin.ts';

/** Fields that say to whom an answer may be given again: to all caches, and to those before an origin alone. */
const rules = ['cache-control', 'cdn-cache-control', 'surrogate-control'] as const;

/**
 * True when the origin forbids shared caches, and so also a copy at the store: by `no-store` or `private` (RFC 9111
 * §5.2.2), also where it says so to CDNs alone (RFC 9213), by a cookie, or by `*` among what it varies with (RFC 9110
 * §12.5.5).
 */
export function forbidsSharing({ headers }: OriginResponse): boolean {
  return (
    rules.some((name) => isForSomebody(headers[name])) ||
    headers['set-cookie'] !== undefined ||
    members(headers.vary).includes('*')
  );
}

/** Whether a `Cache-Control` lets no shared cache keep the answer. */
export function isForSomebody(cacheControl: string | undefined): boolean {
  return members(cacheControl).some((directive) => directive === 'no-store' || directive.startsWith('private'));
}

function members(list = ''): readonly string[] {
  return list
    .toLowerCase()
    .split(',')
    .map((part) => part.trim());
}
