import { isFieldValue } from '../../http/headers.ts';
import type { OriginRequest } from '../origin.ts';

const conditionNames = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range'] as const;

export interface Introduction {
  readonly userAgent: string;
  /** One element of the `Via` header; `1.1 lazyferry` unless told. */
  readonly via?: string;
}

/**
 * What the origin is sent: headers of our own, the range and the conditions. Nothing else of a client's ever gets here.
 *
 * `accept-encoding: identity`: the copy must be the object, not a compressed form of it. `cdn-loop` (RFC 8586) and
 * `via` let us know ourselves again when a mapping leads back to us.
 */
export function requestHeaders(request: OriginRequest, introduction: Introduction): Record<string, string> {
  const conditions = conditionNames.flatMap((name) => {
    const value = request.conditions?.[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const range = request.range === undefined ? [] : [['range', request.range] as const];
  const asked = [...range, ...conditions];
  return {
    accept: '*/*',
    'accept-encoding': 'identity',
    'user-agent': introduction.userAgent,
    via: introduction.via ?? '1.1 lazyferry',
    'cdn-loop': 'lazyferry',
    // One unusable value spoils the set: a range without its If-Range would be another question. Asked for whole then.
    ...(asked.every(([, value]) => isFieldValue(value)) ? Object.fromEntries(asked) : {}),
  };
}
