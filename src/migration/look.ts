import type { Readable } from 'node:stream';
import type { Origin, OriginResponse } from '../origin/origin.ts';
import type { SharedRead } from '../origin/shared-read.ts';
import { sniffBytes } from './content-guard.ts';

/** What the origin says of the whole object, and how its body begins. */
export interface Look {
  readonly response: OriginResponse;
  /** At most `sniffBytes`; empty where the status tells that there is no object to look at. */
  readonly head: Buffer;
}

/**
 * Looks at an object before it is uploaded: through the read that clients share where there is one, else by one small
 * ranged GET. Never by HEAD: some origins answer it otherwise than GET, and it shows no bytes.
 *
 * Rejects with `AssetFailure` where the origin gives no answer.
 */
export async function look(
  origin: Origin,
  url: string,
  read: SharedRead | undefined,
  signal: AbortSignal,
): Promise<Look> {
  if (read !== undefined) {
    const response = await read.response;
    const body = response.status === 200 ? read.attach(0, sniffBytes) : undefined;
    return { response, head: body === undefined ? Buffer.alloc(0) : await beginning(body) };
  }
  const part = await origin.open({ url, range: `bytes=0-${sniffBytes - 1}`, signal });
  const { body, ...response } = part;
  if (response.status !== 200 && response.status !== 206) {
    body.destroy();
    return { response: ofEmptyObject(response) ?? response, head: Buffer.alloc(0) };
  }
  return { response: ofWhole(response), head: await beginning(body) };
}

/** The head of the whole object's answer, from that of a part. */
function ofWhole(response: OriginResponse): OriginResponse {
  if (response.status !== 206) return response;
  const { 'content-range': _, 'content-length': __, ...headers } = response.headers;
  const { length: ___, ...rest } = response;
  const total = response.facts.bytes;
  return total === undefined
    ? { ...rest, status: 200, headers }
    : { ...rest, status: 200, headers, length: total, framed: true };
}

/** An empty object has no part that could be asked for (RFC 9110 §15.5.17). */
function ofEmptyObject(response: OriginResponse): OriginResponse | undefined {
  return response.status === 416 && response.facts.bytes === 0 ? { ...response, status: 200, length: 0 } : undefined;
}

async function beginning(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    // Leaving the loop destroys the body: nothing more of it is read.
    if (length >= sniffBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, sniffBytes);
}
