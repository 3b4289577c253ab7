import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';

/** Wrong tokens that one address may present within the window. */
const allowed = 10;
const windowMs = 60_000;

export interface FailedTokens {
  record(address: string): void;
  /** Seconds until tokens of this address are looked at again; 0 when they are. */
  blockedFor(address: string): number;
}

/**
 * Counts wrong tokens by address, so that guessing is slow. A blocked address gets no answer even to the right token:
 * otherwise guessing would go on. Sessions are not touched by it. Memory is bounded.
 */
export function createFailedTokens(clock: { now(): number } = performance): FailedTokens {
  const counts = new LRUCache<string, number>({
    max: 10_000,
    ttl: windowMs,
    ttlResolution: 0,
    noUpdateTTL: true,
    perf: clock,
  });
  return {
    record(address) {
      const key = network(address);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    blockedFor(address) {
      const key = network(address);
      if ((counts.get(key) ?? 0) < allowed) return 0;
      return Math.ceil(counts.getRemainingTTL(key) / 1000);
    },
  };
}

/** One host owns a whole IPv6 /64. */
function network(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? [] : new Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...gap, ...right].slice(0, 4).join(':');
}
