import type { IncomingMessage } from 'node:http';

/** From `first` to `last`, both included, or to the end where there is no `last`; or the `suffix` last bytes. */
export type ByteRange = { readonly first: number; readonly last?: number } | { readonly suffix: number };

/**
 * The range that a request asks for, where it is one that is heeded: of a GET, in bytes, valid, and one alone. Anything
 * else may be ignored (RFC 9110 §14.2) and is answered with the whole, the same by origin, memory and store. So nobody
 * makes an origin put together many parts, and no body in parts goes under the object's own type.
 */
export function byteRangeOf({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): ByteRange | undefined {
  if (method !== 'GET') return undefined;
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/i.exec(headers.range ?? '') ?? [];
  if (first === '') return last === '' ? undefined : { suffix: position(last) };
  if (last === '') return { first: position(first) };
  // The other way round it is invalid (§14.1.1).
  return position(last) < position(first) ? undefined : { first: position(first), last: position(last) };
}

/** The value of a `Range` field. */
export function rangeField(range: ByteRange): string {
  return 'suffix' in range ? `bytes=-${range.suffix}` : `bytes=${range.first}-${range.last ?? ''}`;
}

/** What the range means for `size` bytes, its end excluded; undefined: there are none of it. */
export function bytesOf(range: ByteRange, size: number): { readonly start: number; readonly end: number } | undefined {
  const start = 'suffix' in range ? Math.max(0, size - range.suffix) : range.first;
  const end = 'suffix' in range ? size : Math.min(size, (range.last ?? size) + 1);
  return start < end ? { start, end } : undefined;
}

/** No object has so many bytes, and every server can read the number. */
function position(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}
