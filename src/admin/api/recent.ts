import { type AssetKey, encodeAssetKey } from '../../asset/key.ts';
import type { AssetRecord } from '../../asset/record.ts';
import type { Ledger } from '../../ledger/ledger.ts';

const remembered = 20;

/** The assets that changed last, newest first, by any process of the fleet, since this one started. */
export class RecentAssets {
  readonly #ledger: Pick<Ledger, 'lookup' | 'subscribe'>;
  /** In the order of change, oldest first. */
  readonly #keys = new Map<string, AssetKey>();

  constructor(ledger: Pick<Ledger, 'lookup' | 'subscribe'>, signal: AbortSignal) {
    this.#ledger = ledger;
    const unsubscribe = ledger.subscribe(({ key }) => {
      if (key !== undefined) this.#remember(key);
    });
    signal.addEventListener('abort', unsubscribe, { once: true });
  }

  async list(): Promise<AssetRecord[]> {
    const records = await Promise.all([...this.#keys.values()].reverse().map((key) => this.#ledger.lookup(key)));
    return records.filter((record) => record !== undefined);
  }

  #remember(key: AssetKey): void {
    const encoded = encodeAssetKey(key);
    this.#keys.delete(encoded);
    this.#keys.set(encoded, key);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > remembered && oldest !== undefined) this.#keys.delete(oldest);
  }
}
