import type { Registry } from 'prom-client';
import type { AssetKey } from '../asset/key.ts';
import type { AssetRecord, StoredCopy } from '../asset/record.ts';
import type { Mapping } from '../config/schema.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { MigrationOutcome } from '../migration/migrator.ts';
import type { Audit } from './audit.ts';
import type { Readiness } from './health.ts';

/** What the next request of a delivery path would mean. */
export type Explanation =
  | {
      readonly kind: 'mapped';
      readonly key: AssetKey;
      readonly originUrl: string;
      readonly publicId: string;
      readonly resourceType: string;
    }
  /** No mapping fits, or the path is refused; `detail` says which and why. */
  | { readonly kind: 'unmapped' | 'refused'; readonly detail: string };

/** An upload that this process or one of its workers is making. */
export interface Job {
  readonly key: AssetKey;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly bytes: number;
  /** Where the origin told it. */
  readonly totalBytes?: number | undefined;
  /** Undefined while the origin is examined. */
  readonly via: 'remote-url' | 'bytes' | undefined;
}

/** What may be claimed besides assets never tried: see `ClaimRequest.redo`. */
export type Redo = 'retry' | 'refresh' | 'lost';

export interface AdminDependencies {
  readonly ledger: Pick<Ledger, 'lookup' | 'query' | 'tally' | 'tombstone' | 'forget' | 'subscribe'>;
  /** The current ones: a reload changes them. */
  readonly mappings: () => readonly Mapping[];
  /** `path` is a delivery path with its query, as a client would send it. */
  readonly explain: (path: string) => Explanation;
  /** Where the stored copy is delivered from; undefined where its mapping is gone. */
  readonly copyUrl: (record: AssetRecord & { readonly copy: StoredCopy }) => string | undefined;
  /** Makes one attempt to migrate the asset. Rejects where there can be none: its mapping is gone. */
  readonly migrate: (key: AssetKey, redo: Redo) => Promise<MigrationOutcome>;
  readonly jobs: () => readonly Job[] | Promise<readonly Job[]>;
  readonly readiness: () => Readiness | Promise<Readiness>;
  /** The whole configuration, redacted. */
  readonly config: () => unknown;
  readonly registry: Pick<Registry, 'contentType' | 'metrics'>;
  readonly audit: Audit;
  /** Told of errors nobody expected. */
  readonly report: (error: unknown) => void;
  readonly version: string;
  /** Where the admin side listens; `adminAccessProblems` has been asked before. */
  readonly host: string;
  /** Other names this admin side is reached by: `admin.example.com`. */
  readonly hosts?: readonly string[];
  readonly token?: string | undefined;
  readonly readToken?: string | undefined;
  /** Ends what outlives a request: the subscription to news, runs over many assets. */
  readonly signal: AbortSignal;
}
