import type { OriginResponse } from './origin.ts';

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
