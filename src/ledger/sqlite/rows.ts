import type { AssetKey } from '../../asset/key.ts';
import type { AssetRecord } from '../../asset/record.ts';
import type { Cell, Written } from '../transitions.ts';
import type { Connection } from './connection.ts';

/** A row's columns that make a record. */
interface RecordRow {
  readonly mapping: string;
  readonly path: string;
  readonly query: string;
  readonly record: string;
}

export const recordColumns = 'mapping, path, query, record';

export function toRecord(row: Record<string, unknown>): AssetRecord {
  const { mapping, path, query, record } = row as unknown as RecordRow;
  return { key: { mapping, path, query }, ...(JSON.parse(record) as Omit<AssetRecord, 'key'>) };
}

export function readRecord(connection: Connection, { mapping, path, query }: AssetKey): AssetRecord | undefined {
  const row = connection
    .prepare(`SELECT ${recordColumns} FROM assets WHERE mapping = ? AND path = ? AND query = ?`)
    .get(mapping, path, query);
  return row === undefined ? undefined : toRecord(row);
}

export function readCell(connection: Connection, { mapping, path, query }: AssetKey): Cell {
  const row = connection
    .prepare(`SELECT ${recordColumns}, token FROM assets WHERE mapping = ? AND path = ? AND query = ?`)
    .get(mapping, path, query);
  if (row !== undefined) return { record: toRecord(row), token: Number(row.token) };
  const forgotten = connection.prepare('SELECT newest_token FROM forgotten').get();
  return { record: undefined, token: Number(forgotten?.newest_token ?? 0) };
}

export function writeCell(connection: Connection, { record, token, dueAt, idleSince }: Written): void {
  const { key, ...rest } = record;
  connection
    .prepare(
      `INSERT INTO assets (mapping, path, query, state, reason, due, idle, token, bytes, record)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET state = excluded.state, reason = excluded.reason, due = excluded.due,
         idle = excluded.idle, token = excluded.token, bytes = excluded.bytes, record = excluded.record`,
    )
    .run(
      key.mapping,
      key.path,
      key.query,
      record.state,
      record.failure?.reason ?? null,
      dueAt ?? null,
      idleSince ?? null,
      token,
      record.copy?.bytes ?? 0,
      JSON.stringify(rest),
    );
}

/** The token outlives the record, so that the next claim of a forgotten asset is newer than every claim before. */
export function dropCell(connection: Connection, { mapping, path, query }: AssetKey, token: number): void {
  connection.prepare('DELETE FROM assets WHERE mapping = ? AND path = ? AND query = ?').run(mapping, path, query);
  connection.prepare('UPDATE forgotten SET newest_token = max(newest_token, ?)').run(token);
}
