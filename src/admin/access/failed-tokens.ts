import { LRUCache } from 'lru-cache';
import { clientNetwork } from '../../http/client-network.ts';

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
      const key = clientNetwork(address);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    blockedFor(address) {
      const key = clientNetwork(address);
      if ((counts.get(key) ?? 0) < allowed) return 0;
      return Math.ceil(counts.getRemainingTTL(key) / 1000);
    },
  };
}
