import type { IncomingMessage } from 'node:http';
import type { Asset } from '../asset/asset.ts';
import type { AssetKey } from '../asset/key.ts';
import type { AssetRecord, StoredCopy } from '../asset/record.ts';
import type { Mapping } from '../config/schema.ts';
import type { Origin } from '../origin/origin.ts';
import type { SharedReads } from '../origin/shared-read.ts';
import type { CopyCheck } from './copy-check.ts';
import type { CopyWatch } from './copy-watch.ts';
import type { CutAnswer } from './cut-answer.ts';
import type { Outcome } from './exchange.ts';
import type { FirstTouch } from './first-touch.ts';
import type { Placeholder } from './placeholder.ts';
import type { ResolveOptions } from './resolve.ts';
import type { WarmStream } from './warm-stream.ts';

export interface DeliveryDependencies {
  /** Read for each request, so that a reload counts at once. */
  readonly routes: () => ResolveOptions;
  /** From memory, without waiting. */
  readonly peek: (id: string) => AssetRecord | undefined;
  /** From the ledger. Rejects when it is down. */
  readonly lookup: (key: AssetKey) => Promise<AssetRecord | undefined>;
  /**
   * Makes sure that the asset's copy is being made. Resolves when it is stored or this attempt is over, with what the
   * ledger says then. Never rejects. `revalidate`: the origin is asked whether the copy is still its newest version.
   */
  readonly ensure: (asset: Asset, redo?: 'revalidate') => Promise<AssetRecord | undefined>;
  /** The store does not deliver the copy that the ledger promises. Resolves when it is made again, or is not. Never rejects. */
  readonly reportLost: (asset: Asset, copy: StoredCopy) => Promise<AssetRecord | undefined>;
  readonly copyCheck: CopyCheck;
  readonly deliveryUrl: (copy: StoredCopy, options: { transformation?: string; format?: string }) => string;
  readonly originOf: (mapping: Mapping) => Origin;
  readonly placeholderOf: (mapping: Mapping) => Placeholder | undefined;
  readonly reads: SharedReads;
  readonly copyWatch: CopyWatch;
  readonly firstTouch: FirstTouch;
  readonly warmStream: WarmStream;
  readonly observe: (event: DeliveryEvent) => void;
  readonly cut: CutAnswer;
  readonly now: () => number;
}

export interface DeliveryEvent {
  /** The mapping's prefix; absent where none fits. */
  readonly mapping?: string;
  readonly outcome: Outcome;
  readonly request: IncomingMessage;
  readonly requestId: string;
  /** By `performance.now()`. */
  readonly startedAt: number;
  /** When the answer's head was sent, by the same clock. */
  readonly headAt: number;
  /** Body bytes sent to the client. */
  readonly bytes: number;
  readonly error?: unknown;
}
