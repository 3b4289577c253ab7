import { encodeAssetKey } from '../asset/key.ts';
import type { LedgerNews } from '../ledger/ledger.ts';

/** Wakes those who wait for an asset that another process is uploading. */
export class CopyWatch {
  readonly #waiting = new Map<string, Set<() => void>>();

  hear({ key }: LedgerNews): void {
    const woken =
      key === undefined ? [...this.#waiting.values()] : [this.#waiting.get(encodeAssetKey(key)) ?? new Set()];
    for (const waiters of woken) for (const wake of waiters) wake();
  }

  /** Resolves with the next news of the asset, or after `withinMs`. */
  async news(id: string, withinMs: number): Promise<void> {
    const waiters = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiters);
    const { promise, resolve } = Promise.withResolvers<void>();
    waiters.add(resolve);
    const timer = setTimeout(resolve, withinMs);
    await promise;
    clearTimeout(timer);
    waiters.delete(resolve);
    if (waiters.size === 0) this.#waiting.delete(id);
  }
}
