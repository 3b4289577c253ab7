import { LRUCache } from 'lru-cache';
import type { Asset } from '../asset/asset.ts';
import type { StoredCopy } from '../asset/record.ts';
import { Budget } from './budget.ts';
import type { Exchange } from './exchange.ts';

export interface CopyCheckOptions {
  /** Whether the store delivers the copy. Rejects when it does not say. */
  readonly isDelivered: (copy: StoredCopy) => Promise<boolean>;
  readonly reportLost: (asset: Asset, copy: StoredCopy) => Promise<unknown>;
  readonly observe: (result: CopyCheckResult) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export type CopyCheckResult = 'delivered' | 'not-delivered' | 'unknown';

/** Checks that a process begins in a second: a HEAD each. */
const mostPerSecond = 5;
/** Assets whose last check is remembered. One that falls out is checked sooner. */
const remembered = 100_000;

/**
 * Looks after copies that clients are redirected to. A redirect never sees what the client finds: where somebody has
 * deleted the copy, every visitor would get a broken picture. So each copy that is asked for is looked for at the
 * store's delivery once in the mapping's `copyCheck`, first when it is that old, beside the answer and never before it.
 */
export class CopyCheck {
  readonly #options: CopyCheckOptions;
  readonly #lastCheck = new LRUCache<string, number>({ max: remembered });
  readonly #budget: Budget;

  constructor(options: CopyCheckOptions) {
    this.#options = options;
    this.#budget = new Budget(mostPerSecond, 1_000, options.now());
  }

  /** Called for each redirect to a copy. */
  redirected({ asset, id, mapping }: Pick<Exchange, 'asset' | 'id' | 'mapping'>, copy: StoredCopy): void {
    const every = mapping.copyCheck;
    if (every === null) return;
    const now = this.#options.now();
    if (now - Math.max(copy.storedAt, this.#lastCheck.get(id) ?? 0) < every || !this.#budget.take(now)) return;
    this.#lastCheck.set(id, now);
    void this.#check(asset, copy);
  }

  async #check(asset: Asset, copy: StoredCopy): Promise<void> {
    const { isDelivered, reportLost, observe } = this.#options;
    const result = await isDelivered(copy).then(
      (delivered) => (delivered ? 'delivered' : 'not-delivered'),
      () => 'unknown' as const,
    );
    observe(result);
    if (result === 'not-delivered') await reportLost(asset, copy);
  }
}
