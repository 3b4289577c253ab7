import type { Readable } from 'node:stream';
import type { OriginFacts } from '../asset/record.ts';

export interface OriginRequest {
  /** Absolute; begins with the mapping's origin. */
  readonly url: string;
  /** The `Range` header's value, handed on as it is. */
  readonly range?: string;
  /** Conditional headers by lower-case name: `if-match`, `if-none-match`, `if-modified-since`, `if-unmodified-since`, `if-range`. */
  readonly conditions?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Bytes after which the body fails with `too-large`, instead of the driver's own limit; `Infinity` for none. */
  readonly maxBytes?: number;
}

export interface OriginResponse {
  /** 200, 206, 304, 416, or what the origin answered: every complete answer is a response, never an error. */
  readonly status: number;
  readonly facts: OriginFacts;
  /** The answer's headers without hop-by-hop ones, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Body length the framing promises. Absent: chunked. */
  readonly length?: number;
  /** False when only the end of the connection would mark the end of the body: such a body proves nothing. */
  readonly framed: boolean;
  /** Hex MD5 by `Content-MD5` or `Digest`/`Repr-Digest`, where the origin states one. */
  readonly md5?: string;
}

export interface OriginBody extends OriginResponse {
  /**
   * Fails with an `AssetFailure` (`origin-truncated`, `origin-timeout`, `origin-error`, `too-large`) unless it is whole.
   * The caller must read it to the end or destroy it.
   */
  readonly body: Readable;
}

/**
 * Where the assets of one mapping come from. Read only: the origin is never modified. Credentials stay inside.
 *
 * Both methods reject with `AssetFailure`: `origin-timeout`, `origin-error` (no answer), `origin-blocked` (address
 * not allowed, or outside the mapping's origin). An abort by the request's signal rejects with the signal's reason.
 * Redirects are followed within the mapping's rules, each hop judged.
 */
export interface Origin {
  open(request: OriginRequest): Promise<OriginBody>;
  /** As `open`, by HEAD (or by the first byte where HEAD is refused): the facts without the body. */
  describe(request: OriginRequest): Promise<OriginResponse>;
  close(): Promise<void>;
}
