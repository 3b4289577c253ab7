import { type AssetKey, encodeAssetKey } from '../asset/key.ts';
import type { MigrationOutcome, MigrationRequest, Migrator } from './migrator.ts';

/** One job per asset and process: whoever comes while it runs shares its outcome. */
export class SingleFlight implements Migrator {
  readonly #inner: Migrator;
  // A plain map: a bounded cache would throw jobs out that are still running.
  readonly #flights = new Map<string, Promise<MigrationOutcome>>();

  constructor(inner: Migrator) {
    this.#inner = inner;
  }

  has(key: AssetKey): boolean {
    return this.#flights.has(encodeAssetKey(key));
  }

  migrate(request: MigrationRequest): Promise<MigrationOutcome> {
    const id = encodeAssetKey(request.asset.key);
    const current = this.#flights.get(id);
    if (current !== undefined) return current;
    const flight = this.#inner.migrate(request).finally(() => this.#flights.delete(id));
    this.#flights.set(id, flight);
    return flight;
  }

  /** Resolves when no job is running. */
  async idle(): Promise<void> {
    while (this.#flights.size > 0) await Promise.allSettled(this.#flights.values());
  }
}
