import { type AssetKey, decodeAssetKey, encodeAssetKey } from '../../asset/key.ts';
import { NewsDesk, type NewsListener } from '../news-desk.ts';
import type { Connection } from './connection.ts';

/** More changes than this at once are told as "anything may have changed". */
const mostAtOnce = 1_000;

/**
 * Tells the listeners of this process what any process of the machine changed. Each change is a row of `changes`;
 * `PRAGMA data_version` tells within microseconds whether another process wrote at all.
 */
export class ChangeFeed {
  readonly #connection: Connection;
  readonly #desk: NewsDesk;
  readonly #pollMs: number;
  #timer: NodeJS.Timeout | undefined;
  #dataVersion: number | undefined;
  /** The newest change already told. Undefined: unknown, so anything may have changed since. */
  #told: number | undefined;

  constructor(connection: Connection, pollMs: number, warn: (message: string) => void) {
    this.#connection = connection;
    this.#pollMs = pollMs;
    this.#desk = new NewsDesk(warn);
  }

  /** Writes one change down; within the transaction that makes it. */
  record(key: AssetKey): void {
    this.#connection.prepare('INSERT INTO changes (key) VALUES (?)').run(encodeAssetKey(key));
  }

  subscribe(listener: NewsListener): () => void {
    const remove = this.#desk.add(listener);
    if (this.#timer === undefined) {
      void this.#beginHere();
      this.#timer = setInterval(() => void this.#look(), this.#pollMs).unref();
    }
    return () => {
      remove();
      if (this.#desk.isEmpty) this.stop();
    };
  }

  /** Tells this process's own changes without waiting for the next look. */
  async tellNow(): Promise<void> {
    if (this.#desk.isEmpty) return;
    this.#dataVersion = undefined;
    await this.#look();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** What changed before the first listener came is no news. */
  async #beginHere(): Promise<void> {
    this.#told = undefined;
    await this.#connection.read(() => this.#changesSince()).catch(() => {});
  }

  async #look(): Promise<void> {
    try {
      for (const key of await this.#connection.read(() => this.#changesSince())) {
        this.#desk.tell(key === undefined ? {} : { key });
      }
    } catch {
      // Whoever reads or writes the ledger gets this error. Here it only means that news may be missed meanwhile.
      this.#told = undefined;
    }
  }

  /** Keys in the order of their changes; undefined among them: anything may have changed. */
  #changesSince(): (AssetKey | undefined)[] {
    const dataVersion = Number(this.#connection.prepare('PRAGMA data_version').get()?.data_version);
    if (dataVersion === this.#dataVersion && this.#told !== undefined) return [];
    this.#dataVersion = dataVersion;
    const span = this.#connection.prepare('SELECT min(sequence) AS oldest, max(sequence) AS newest FROM changes').get();
    const oldest = Number(span?.oldest ?? 0);
    const newest = Number(span?.newest ?? 0);
    const told = this.#told;
    this.#told = newest;
    if (told === undefined || told > newest || oldest > told + 1 || newest - told > mostAtOnce) return [undefined];
    return this.#connection
      .prepare('SELECT key FROM changes WHERE sequence > ? ORDER BY sequence')
      .all(told)
      .map(({ key }) => decodeAssetKey(String(key)));
  }
}
