import type { SQLInputValue } from 'node:sqlite';
import { decodeAssetKey, encodeAssetKey } from '../../asset/key.ts';
import type { AssetRecord } from '../../asset/record.ts';
import type { LedgerPage, LedgerQuery } from '../ledger.ts';
import { pageLimit } from '../page-limit.ts';
import type { Connection } from './connection.ts';
import { recordColumns, toRecord } from './rows.ts';

interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/**
 * One page in the order of the keys. An index gives the assets of one state (or reason) in that order; several states
 * are several such runs, each read no further than one page, merged. So a page costs the same at its first and at its
 * ten-thousandth turn.
 */
export function readPage(connection: Connection, query: LedgerQuery): LedgerPage {
  const limit = pageLimit(query);
  const runs = runsOf(query).map((run) => readRun(connection, [...run, ...commonConditions(query)], limit + 1));
  const records = runs.length === 1 ? (runs[0] ?? []) : runs.flat().sort(byKey);
  const last = records[limit - 1];
  return {
    records: records.slice(0, limit),
    ...(records.length > limit && last !== undefined && { next: encodeAssetKey(last.key) }),
  };
}

function runsOf({ states, reasons }: LedgerQuery): Condition[][] {
  if (reasons !== undefined) {
    const inStates = states === undefined ? [] : [oneOf('+state', states)];
    return reasons.map((reason) => [{ sql: 'reason = ?', values: [reason] }, ...inStates]);
  }
  if (states !== undefined) return states.map((state) => [{ sql: 'state = ?', values: [state] }]);
  return [[]];
}

function commonConditions({ mapping, pathPrefix, after }: LedgerQuery): Condition[] {
  const conditions: Condition[] = [];
  if (mapping !== undefined) conditions.push({ sql: 'mapping = ?', values: [mapping] });
  if (pathPrefix !== undefined && pathPrefix !== '') {
    // Paths are ASCII (see AssetKey): DEL sorts behind each of their characters.
    conditions.push({ sql: 'path >= ? AND path < ?', values: [pathPrefix, `${pathPrefix}\x7f`] });
  }
  if (after !== undefined) {
    const key = decodeAssetKey(after);
    conditions.push({ sql: '(mapping, path, query) > (?, ?, ?)', values: [key.mapping, key.path, key.query] });
  }
  return conditions;
}

function oneOf(column: string, values: readonly string[]): Condition {
  return { sql: `${column} IN (${values.map(() => '?').join(', ')})`, values };
}

function readRun(connection: Connection, conditions: readonly Condition[], limit: number): AssetRecord[] {
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`;
  return connection
    .prepare(`SELECT ${recordColumns} FROM assets ${where} ORDER BY mapping, path, query LIMIT ?`)
    .all(...conditions.flatMap(({ values }) => values), limit)
    .map(toRecord);
}

function byKey({ key: a }: AssetRecord, { key: b }: AssetRecord): number {
  return compare(a.mapping, b.mapping) || compare(a.path, b.path) || compare(a.query, b.query);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
