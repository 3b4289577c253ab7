import { reasons } from '../../asset/reason.ts';
import { type AssetRecord, assetStates } from '../../asset/record.ts';
import { countedReason, type TallyLine } from '../tally-lines.ts';
import type { Layout } from './layout.ts';
import type { RedisCommands } from './scripts.ts';

/**
 * What a change does to the tally of its bucket: fields and increments in turn. Fields are `mapping state` for assets,
 * `mapping state bytes` for the bytes of their copies, and `mapping - reason` for failures.
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
    const reason = countedReason(record);
    if (reason === undefined) continue;
    const reasonField = `${record.key.mapping} - ${reason}`;
    changes.set(reasonField, (changes.get(reasonField) ?? 0) + sign);
  }
  return [...changes].filter(([, change]) => change !== 0).flat();
}

/** The tallies of all buckets, in their order. */
export function readTallies(commands: RedisCommands, layout: Layout): Promise<TallyLine[][]> {
  return Promise.all(layout.buckets.map(async ({ tally }) => toLines(await commands.hgetall(tally))));
}

function toLines(counts: Record<string, string>): TallyLine[] {
  return Object.entries(counts).flatMap(([field, count]): TallyLine[] => {
    const [mapping = '', name, unit] = field.split(' ');
    const reason = name === '-' ? reasons.find((candidate) => candidate === unit) : undefined;
    if (reason !== undefined) return [{ mapping, reason, assets: Number(count) }];
    const state = assetStates.find((candidate) => candidate === name);
    if (state === undefined) return [];
    return [
      { mapping, state, assets: unit === undefined ? Number(count) : 0, bytes: unit === undefined ? 0 : Number(count) },
    ];
  });
}
