import type { Request } from 'express';
import type { Staging } from '../files/staging.ts';
import { StoreError } from '../store-error.ts';
import { readSubmission } from '../upload/intake/intake.ts';
import { FieldCollector, type Fields } from '../upload/intake/submission.ts';
import { textOf } from '../upload/parameter-values.ts';

/** Parameters of an Admin API call: of the query, then of the body. */
export async function adminFields(request: Request, staging: Staging): Promise<Fields> {
  const collector = new FieldCollector();
  const at = request.url.indexOf('?');
  for (const [name, value] of new URLSearchParams(at === -1 ? '' : request.url.slice(at + 1))) {
    collector.add(name, value);
  }
  if (request.method === 'GET' || request.method === 'HEAD') return collector.fields();
  const { fields, file } = await readSubmission(request, staging, { maxFileBytes: 0 });
  if (file !== undefined) throw new StoreError(400, 'Unsupported parameter - file');
  return new Map([...collector.fields(), ...fields]);
}

const MAX_RESULTS = 500;

/** `max_results`: 10 unless told, 500 at most. */
export function pageSizeOf(fields: Fields): number {
  const text = textOf(fields, 'max_results') ?? '10';
  const size = Number(text);
  if (!Number.isInteger(size) || size < 1) throw new StoreError(400, `Invalid value ${text} for parameter max_results`);
  return Math.min(size, MAX_RESULTS);
}

/** `next_cursor` is opaque to clients: the last name of a page, encoded. */
export function encodeCursor(position: string): string {
  return Buffer.from(position).toString('base64url');
}

export function cursorOf(fields: Fields): string | undefined {
  const cursor = textOf(fields, 'next_cursor');
  if (cursor === undefined) return undefined;
  if (!/^[A-Za-z0-9_-]+$/.test(cursor)) throw new StoreError(400, `Invalid value ${cursor} for parameter next_cursor`);
  return Buffer.from(cursor, 'base64url').toString('utf8');
}
