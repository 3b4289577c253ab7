/** Why an asset is not stored. Each has its own time to live, retry rule and status: see `migration/policy.ts`. */
export const reasons = [
  'origin-not-found',
  'origin-gone',
  'origin-denied',
  'origin-error',
  'origin-timeout',
  'origin-blocked',
  'origin-private',
  'origin-truncated',
  'too-large',
  'wrong-type',
  'store-rejected',
  'store-rate-limited',
  'store-unreachable',
  'store-auth',
  'id-collision',
] as const;

export type Reason = (typeof reasons)[number];
