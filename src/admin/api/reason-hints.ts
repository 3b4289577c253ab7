import type { Reason } from '../../asset/reason.ts';

/** What each reason means and what the operator can do about it. */
export const reasonHints: Readonly<Record<Reason, string>> = {
  'origin-not-found': 'The origin has no such object. Nothing to do, unless the mapping’s origin is wrong.',
  'origin-gone': 'The origin says that the object was removed for good.',
  'origin-denied': 'The origin refuses us. Check the mapping’s auth and whether the origin’s firewall knows this host.',
  'origin-error': 'The origin failed. It is tried again by itself; look at the origin’s log if it goes on.',
  'origin-timeout':
    'The origin was too slow. It is tried again by itself; raise the network timeouts if it is always so.',
  'origin-blocked':
    'The origin’s address is not allowed. If it is in your own private network, set network.allowPrivate for the mapping.',
  'origin-private':
    'The origin forbids shared copies (private or no-store, also for CDNs alone, Set-Cookie, Vary: *). Mend its headers, or set allow.private.',
  'origin-truncated': 'The origin sent less than it promised. Nothing was stored; it is tried again by itself.',
  'too-large': 'Larger than the mapping’s allow.maxBytes or the store’s limit. Raise the limit, or move it by hand.',
  'wrong-type': 'Not a type that the mapping allows, often an error page in place of a picture. Check allow.types.',
  'store-rejected': 'The store does not take this file. The detail holds its own words.',
  'store-rate-limited': 'The store’s rate limit is reached. Uploads go on by themselves when it is lifted.',
  'store-unreachable': 'The store does not answer. Clients are served from the origin; uploads go on by themselves.',
  'store-auth': 'The store refuses our credentials. Check CLOUDINARY_URL.',
  'id-collision':
    'The store holds something else under this public ID. Refresh the asset if it is an older version of yours; else give the mapping another folder, or remove it there.',
};
