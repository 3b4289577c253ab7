import type { IncomingMessage } from 'node:http';
import { StoreError } from '../../store-error.ts';
import type { Allowance } from './allowance.ts';
import { MAX_REFERENCE_LENGTH } from './limits.ts';
import { FieldCollector, type Submission } from './submission.ts';

/** Reads an `application/json` body: an object of texts, numbers, booleans and lists of them. `file` is a reference. */
export async function readJson(request: IncomingMessage, allowance: Allowance): Promise<Submission> {
  const body = parseObject(await readText(request, allowance));
  const fields = new FieldCollector();
  let reference: string | undefined;
  for (const [name, value] of Object.entries(body)) {
    if (value === null) continue;
    if (name === 'file') {
      if (typeof value !== 'string') throw new StoreError(400, 'Invalid value for parameter - file');
      reference = value;
    } else if (Array.isArray(value)) {
      for (const item of value) fields.add(`${name}[]`, scalarText(name, item));
    } else {
      fields.add(name, scalarText(name, value));
    }
  }
  return reference === undefined
    ? { fields: fields.fields() }
    : { fields: fields.fields(), file: { kind: 'reference', text: reference } };
}

async function readText(request: IncomingMessage, allowance: Allowance): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // Leaving the loop must not destroy the request: the answer goes over the same socket.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      length += chunk.length;
      if (length > MAX_REFERENCE_LENGTH + 1_000_000) throw new StoreError(413, 'The JSON body is too large');
      allowance.hold(chunk.length);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError(400, 'The request ended before its body was complete');
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseObject(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new StoreError(400, 'Malformed request body: it is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new StoreError(400, 'Malformed request body: a JSON object is expected');
  }
  return value;
}

/** As the SDKs write them in forms: booleans are 1 and 0. */
function scalarText(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  throw new StoreError(400, `Invalid value for parameter - ${name}`);
}
