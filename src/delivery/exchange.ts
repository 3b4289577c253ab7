import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Asset } from '../asset/asset.ts';
import type { Mapping } from '../config/schema.ts';

/** One delivery request on its way: what was asked, and the asset it means. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly mapping: Mapping;
  readonly asset: Asset;
  /** Encoded form of the asset's key. */
  readonly id: string;
  /** The URL's own transformation and the mapping's, as Cloudinary writes them; empty for none. */
  readonly transformation: string;
  /** Format that a Cloudinary-grammar URL asked for by its extension, where it differs from the copy's. */
  readonly format: string | undefined;
  /** The mapping wants a signature, and the URL has none that holds: it may not start an upload. */
  readonly unsigned?: boolean;
  /** Whether the budgets of first touch let this request start something; undefined until they are asked. */
  admitted?: boolean;
  /** For `X-Request-Id` and the log. */
  readonly requestId: string;
  /** By `performance.now()`. */
  readonly startedAt: number;
  /** When the answer's head was sent, by the same clock. */
  headAt?: number;
  /** Body bytes of an answer that was sent whole. */
  bytes?: number;
}

/** How a request was answered, for metrics. */
export type Outcome =
  | 'warm-redirect'
  | 'warm-stream'
  | 'cold-passthrough'
  | 'cold-redirect'
  | 'missing'
  | 'tombstoned'
  | 'unmapped'
  | 'options'
  | 'refused'
  | 'failed';
