import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from 'prom-client';
import type { Reason } from '../asset/reason.ts';

/** How a delivery request was answered. */
export type RequestOutcome = 'warm' | 'cold' | 'missing' | 'tombstoned' | 'unmapped' | 'options' | 'refused' | 'error';

/** How an upload job ended. `existing`: the store had the copy; `stale`: another claimant had taken over. */
type UploadOutcome = 'stored' | 'existing' | 'failed' | 'missing' | 'stale';

type CopyCheckResult = 'delivered' | 'not-delivered' | 'unknown';

type ClaimOutcome = 'won' | 'held' | 'settled' | 'lost' | 'unavailable';

/**
 * What spared an upload: `flight`: a job of this process; `claim`: another process's claim; `existing`: the store's
 * copy.
 */
type Sparing = 'flight' | 'claim' | 'existing';

/**
 * What the product counts. Every label comes from a fixed list or from the configuration, never from a request, so
 * the number of series is bounded. `mapping` is the mapping's prefix; undefined where none fits.
 */
export interface Metrics {
  /** Once for each delivery request, when its answer is over. `bytes` of the body sent to the client. */
  request(mapping: string | undefined, outcome: RequestOutcome, bytes: number): void;
  /** An answer that broke off after its head, and not because the client left. */
  cut(mapping: string): void;
  /** A look for a copy at the store's delivery (`copyCheck`). */
  copyCheck(result: CopyCheckResult): void;
  /** Seconds from the request to the first byte of the answer. */
  firstByte(outcome: RequestOutcome, seconds: number): void;
  /** Once for each job that got as far as a claim. `bytes` of the copy, where it is stored. */
  upload(
    mapping: string,
    ended: {
      readonly outcome: UploadOutcome;
      readonly reason?: Reason | undefined;
      readonly seconds: number;
      readonly bytes?: number | undefined;
    },
  ): void;
  claim(outcome: ClaimOutcome): void;
  spared(by: Sparing): void;
  /** One request to the origin: to serve a client, or to upload. */
  originRequest(mapping: string, purpose: 'serve' | 'upload', bytes: number): void;
}

export interface MetricsSources {
  /** Uploads under way in this process. */
  readonly inFlight: () => number;
  readonly version: string;
}

const firstByteBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const uploadBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** Defines the product's metrics in `registry`, and Node's own beside them. */
export function createMetrics(registry: Registry, { inFlight, version }: MetricsSources): Metrics {
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const requests = new Counter({
    name: 'lazyferry_requests_total',
    help: 'Delivery requests by mapping and outcome.',
    labelNames: ['mapping', 'outcome'] as const,
    registers,
  });
  const responseBytes = new Counter({
    name: 'lazyferry_response_bytes_total',
    help: 'Body bytes sent to clients by mapping and outcome.',
    labelNames: ['mapping', 'outcome'] as const,
    registers,
  });
  const firstByte = new Histogram({
    name: 'lazyferry_first_byte_seconds',
    help: 'Time from a delivery request to the first byte of its answer, by outcome.',
    labelNames: ['outcome'] as const,
    buckets: firstByteBuckets,
    registers,
  });
  const cutAnswers = new Counter({
    name: 'lazyferry_cut_answers_total',
    help: 'Answers that broke off after their head because the origin or the store failed, by mapping.',
    labelNames: ['mapping'] as const,
    registers,
  });
  const copyChecks = new Counter({
    name: 'lazyferry_copy_checks_total',
    help: 'Copies looked for at the store because clients are redirected to them, by result.',
    labelNames: ['result'] as const,
    registers,
  });
  const uploads = new Counter({
    name: 'lazyferry_uploads_total',
    help: 'Upload jobs that ended, by mapping, outcome and reason (none unless it failed).',
    labelNames: ['mapping', 'outcome', 'reason'] as const,
    registers,
  });
  const uploadedBytes = new Counter({
    name: 'lazyferry_uploaded_bytes_total',
    help: 'Bytes of the copies stored, by mapping.',
    labelNames: ['mapping'] as const,
    registers,
  });
  const uploadSeconds = new Histogram({
    name: 'lazyferry_upload_seconds',
    help: 'Time from the claim to the outcome of an upload job.',
    labelNames: ['outcome'] as const,
    buckets: uploadBuckets,
    registers,
  });
  const claims = new Counter({
    name: 'lazyferry_claims_total',
    help: 'Claims asked of the ledger by result; lost: taken over by another claimant while we uploaded.',
    labelNames: ['result'] as const,
    registers,
  });
  const spared = new Counter({
    name: 'lazyferry_duplicates_avoided_total',
    help: 'Uploads spared because of a job of this process (flight), a claim of another one, or an existing copy.',
    labelNames: ['by'] as const,
    registers,
  });
  const originRequests = new Counter({
    name: 'lazyferry_origin_requests_total',
    help: 'Requests made to the origin by mapping and purpose.',
    labelNames: ['mapping', 'purpose'] as const,
    registers,
  });
  const originBytes = new Counter({
    name: 'lazyferry_origin_bytes_total',
    help: 'Body bytes read from the origin by mapping and purpose.',
    labelNames: ['mapping', 'purpose'] as const,
    registers,
  });
  new Gauge({
    name: 'lazyferry_uploads_in_flight',
    help: 'Uploads under way in this process.',
    registers,
    collect() {
      this.set(inFlight());
    },
  });
  new Gauge({
    name: 'lazyferry_info',
    help: 'Always 1; the label tells the version.',
    aggregator: 'first',
    labelNames: ['version'] as const,
    registers,
  }).set({ version }, 1);

  return {
    request(mapping = 'none', outcome, bytes) {
      requests.inc({ mapping, outcome });
      if (bytes > 0) responseBytes.inc({ mapping, outcome }, bytes);
    },
    cut(mapping) {
      cutAnswers.inc({ mapping });
    },
    copyCheck(result) {
      copyChecks.inc({ result });
    },
    firstByte(outcome, seconds) {
      firstByte.observe({ outcome }, seconds);
    },
    upload(mapping, { outcome, reason, seconds, bytes }) {
      uploads.inc({ mapping, outcome, reason: reason ?? 'none' });
      uploadSeconds.observe({ outcome }, seconds);
      if (bytes !== undefined && bytes > 0) uploadedBytes.inc({ mapping }, bytes);
    },
    claim(result) {
      claims.inc({ result });
    },
    spared(by) {
      spared.inc({ by });
    },
    originRequest(mapping, purpose, bytes) {
      originRequests.inc({ mapping, purpose });
      if (bytes > 0) originBytes.inc({ mapping, purpose }, bytes);
    },
  };
}
