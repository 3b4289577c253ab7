import type { IdleRule } from '../ledger.ts';
import type { Layout } from './layout.ts';
import type { RedisCommands } from './scripts.ts';

export interface IdleEntry {
  readonly field: string;
  readonly since: number;
}

/**
 * The idle assets that are to be dropped, `limit` at most. What is above the bound is taken from each bucket by its
 * share: within it the longest idle, and over all of them nearly so, because the buckets are alike.
 */
export async function findIdle(
  commands: RedisCommands,
  { buckets }: Layout,
  { keepMs, most }: IdleRule,
  limit: number,
): Promise<IdleEntry[]> {
  const counts = await Promise.all(buckets.map(({ idle }) => commands.zcard(idle)));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const excess = Math.max(0, total - most);
  let before = 0;
  const found = await Promise.all(
    buckets.map(({ idle }, index) => {
      const upTo = before + (counts[index] ?? 0);
      // Rounded so that the shares add up.
      const share = Math.floor((excess * upTo) / total) - Math.floor((excess * before) / total);
      const empty = upTo === before;
      before = upTo;
      return empty ? [] : commands.oldestIdle(idle, keepMs, share, limit);
    }),
  );
  return found.flatMap(toIdleEntries).slice(0, limit);
}

function toIdleEntries(parts: readonly string[]): IdleEntry[] {
  return parts.flatMap((field, index) => (index % 2 === 0 ? [{ field, since: Number(parts[index + 1]) }] : []));
}
