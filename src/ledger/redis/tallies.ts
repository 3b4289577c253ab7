import { type AssetRecord, type AssetState, assetStates } from '../../asset/record.ts';
import type { Layout } from './layout.ts';
import type { RedisCommands } from './scripts.ts';

/** One line of a bucket's tally. */
export interface BucketTally {
  readonly mapping: string;
  readonly state: AssetState;
  readonly assets: number;
  readonly bytes: number;
}

/**
 * What a change does to the tally of its bucket: fields and increments in turn. Fields are `mapping state` for assets
 * and `mapping state bytes` for the bytes of their copies.
 */
export function tallyChanges(before: AssetRecord | undefined, after: AssetRecord | undefined): (string | number)[] {
  const changes = new Map<string, number>();
  for (const [record, sign] of [
    [before, -1],
    [after, 1],
  ] as const) {
    if (record === undefined) continue;
    const field = `${record.key.mapping} ${record.state}`;
    changes.set(field, (changes.get(field) ?? 0) + sign);
    const bytesField = `${field} bytes`;
    changes.set(bytesField, (changes.get(bytesField) ?? 0) + sign * (record.copy?.bytes ?? 0));
  }
  return [...changes].filter(([, change]) => change !== 0).flat();
}

/** The tallies of all buckets, in their order. */
export function readTallies(commands: RedisCommands, layout: Layout): Promise<BucketTally[][]> {
  return Promise.all(layout.buckets.map(async ({ tally }) => toLines(await commands.hgetall(tally))));
}

function toLines(counts: Record<string, string>): BucketTally[] {
  return Object.entries(counts).flatMap(([field, count]) => {
    const [mapping = '', name, unit] = field.split(' ');
    const state = assetStates.find((candidate) => candidate === name);
    if (state === undefined) return [];
    return [
      { mapping, state, assets: unit === undefined ? Number(count) : 0, bytes: unit === undefined ? 0 : Number(count) },
    ];
  });
}
