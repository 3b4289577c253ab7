import { readFileSync } from 'node:fs';
import { lookup as typeOfName } from 'mime-types';
import type { Mapping } from '../config/schema.ts';
import { cacheStatus, publicHeaders } from './answer-headers.ts';
import type { Exchange } from './exchange.ts';

/** A placeholder stands in memory; a larger file is a mistake. */
const largestPlaceholder = 1 << 20;

export interface Placeholder {
  readonly bytes: Buffer;
  readonly type: string;
}

/**
 * Reads a mapping's placeholder image.
 *
 * @throws {Error} when it cannot be read, is no image by its name, or is larger than 1 MiB
 */
function readPlaceholder(file: string): Placeholder {
  const bytes = readFileSync(file);
  const type = typeOfName(file);
  if (type === false || !type.startsWith('image/')) throw new Error(`the placeholder ${file} is no image by its name`);
  if (bytes.length > largestPlaceholder) throw new Error(`the placeholder ${file} is larger than 1 MiB`);
  return { bytes, type };
}

/** The placeholders of all mappings by file. */
export function readPlaceholders(mappings: readonly Mapping[]): ReadonlyMap<string, Placeholder> {
  const files = mappings.flatMap(({ placeholder }) => (placeholder === null ? [] : [placeholder]));
  return new Map(files.map((file) => [file, readPlaceholder(file)]));
}

/** Whether the client would rather see a picture than read why there is none. */
export function wantsPicture({ request }: Exchange): boolean {
  const accept = request.headers.accept ?? '';
  return accept.includes('image/') && !/\b(?:json|text\/html)\b/.test(accept);
}

/** Sends the placeholder as what it is: the body of an error, never a 200 and never cached long (F28). */
export function answerPlaceholder(
  { request, response, mapping }: Exchange,
  status: number,
  { bytes, type }: Placeholder,
): void {
  response.writeHead(status, {
    ...publicHeaders,
    'content-type': type,
    'content-length': bytes.length,
    'cache-control': mapping.cache.error,
    'cache-status': cacheStatus({ detail: 'placeholder' }),
    vary: 'Accept',
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
