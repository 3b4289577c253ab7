import type { Asset } from '../asset/asset.ts';
import type { Reason } from '../asset/reason.ts';
import { type BreakerRules, CircuitBreaker, type Verdict } from './circuit-breaker.ts';
import type { MigrationOutcome, MigrationRequest, Migrator } from './migrator.ts';

export interface GuardedOptions {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly onChange: (change: BreakerChange) => void;
}

export interface BreakerChange {
  /** `store`, or an origin's scheme and host. */
  readonly target: string;
  readonly open: boolean;
  /** What the last job saw; absent when it closed. */
  readonly reason?: Reason;
  readonly detail?: string;
}

const storeRules: BreakerRules = { threshold: 5, firstMs: 5_000, longestMs: 60_000 };
/** An origin may fail for some paths and be well for others, so that it takes more to give it up. */
const originRules: BreakerRules = { threshold: 10, firstMs: 5_000, longestMs: 60_000 };

/** What a failed attempt says of the store, then of the origin; a reason that is not listed says nothing. */
const verdicts: Readonly<Partial<Record<Reason, readonly [store: Verdict, origin: Verdict]>>> = {
  'store-auth': ['fatal', 'nothing'],
  'store-unreachable': ['bad', 'nothing'],
  'store-rejected': ['good', 'good'],
  'id-collision': ['good', 'good'],
  'origin-error': ['nothing', 'bad'],
  'origin-timeout': ['nothing', 'bad'],
  'origin-not-found': ['nothing', 'good'],
  'origin-gone': ['nothing', 'good'],
};

/**
 * Starts no job while the store, or the asset's origin, only fails: a breaker for each. A refusal leaves the asset as
 * it is, attempts included; its clients are served from the origin all the same.
 */
export class Guarded implements Migrator {
  readonly #inner: Migrator;
  readonly #options: GuardedOptions;
  /** By target. Their number is that of the origins in the configuration. */
  readonly #breakers = new Map<string, CircuitBreaker>();
  readonly #causes = new Map<string, { readonly reason: Reason; readonly detail: string }>();

  constructor(inner: Migrator, options: GuardedOptions) {
    this.#inner = inner;
    this.#options = options;
  }

  /** Who is not asked at present, and why. */
  open(): readonly BreakerChange[] {
    return [...this.#breakers].flatMap(([target, { open }]) => {
      return open ? [{ target, open, ...this.#causes.get(target) }] : [];
    });
  }

  async migrate(request: MigrationRequest): Promise<MigrationOutcome> {
    const origin = originOf(request.asset);
    const toStore = this.#breaker('store', storeRules).admit();
    if (toStore === undefined) return { kind: 'postponed', why: 'store-down' };
    const toOrigin = this.#breaker(origin, originRules).admit();
    if (toOrigin === undefined) {
      toStore.end('nothing');
      return { kind: 'postponed', why: 'origin-down' };
    }
    let outcome: MigrationOutcome | undefined;
    try {
      outcome = await this.#inner.migrate(request);
      return outcome;
    } finally {
      const [ofStore, ofOrigin] = verdictsOf(outcome);
      if (outcome?.kind === 'failed') this.#remember(outcome, ofStore, origin, ofOrigin);
      toStore.end(ofStore);
      toOrigin.end(ofOrigin);
    }
  }

  #breaker(target: string, rules: BreakerRules): CircuitBreaker {
    const known = this.#breakers.get(target);
    if (known !== undefined) return known;
    const { now, onChange } = this.#options;
    const breaker = new CircuitBreaker(rules, now, (open) =>
      onChange({ target, open, ...(open ? this.#causes.get(target) : {}) }),
    );
    this.#breakers.set(target, breaker);
    return breaker;
  }

  #remember(
    { reason, record }: Extract<MigrationOutcome, { kind: 'failed' }>,
    ofStore: Verdict,
    origin: string,
    ofOrigin: Verdict,
  ): void {
    const cause = { reason, detail: record.failure?.detail ?? '' };
    if (isFailure(ofStore)) this.#causes.set('store', cause);
    if (isFailure(ofOrigin)) this.#causes.set(origin, cause);
  }
}

function isFailure(verdict: Verdict): boolean {
  return verdict === 'bad' || verdict === 'fatal';
}

function verdictsOf(outcome: MigrationOutcome | undefined): readonly [store: Verdict, origin: Verdict] {
  if (outcome?.kind === 'stored') return ['good', 'good'];
  const [ofStore, ofOrigin] = (outcome?.kind === 'failed' && verdicts[outcome.reason]) || ['nothing', 'nothing'];
  return [ofStore, ofOrigin === 'bad' && failedBefore(outcome) ? 'nothing' : ofOrigin];
}

/**
 * Paths that are broken for good are tried again and again, mostly by the sweeper and in a row. Their failures say
 * nothing of the origin that serves all others, whose breaker they would open.
 */
function failedBefore(outcome: MigrationOutcome | undefined): boolean {
  return outcome?.kind === 'failed' && (outcome.record.failure?.attempts ?? 0) > 1;
}

function originOf({ originUrl }: Asset): string {
  // Not `URL.origin`: that of an s3 URL is opaque.
  const { protocol, host } = new URL(originUrl);
  return `${protocol}//${host}`;
}
