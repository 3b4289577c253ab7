import { randomUUID } from 'node:crypto';
import type { AssetRecord } from '../../asset/record.ts';
import type { Ledger, LedgerQuery } from '../../ledger/ledger.ts';
import { messageOf } from './api-error.ts';

const pageSize = 200;

export interface RunOptions {
  readonly action: 'retry' | 'purge';
  readonly filter: Omit<LedgerQuery, 'limit' | 'after'>;
  /** Assets worked on at a time. */
  readonly concurrency: number;
  /** True: the asset was changed. */
  readonly each: (record: AssetRecord) => Promise<boolean>;
  readonly signal: AbortSignal;
}

/** One change made to every asset that a filter finds, page by page, so that ten million are no burden. */
export class AssetRun {
  readonly id = randomUUID();
  readonly startedAt = new Date().toISOString();
  readonly #options: RunOptions;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #state: 'running' | 'done' | 'stopped' | 'failed' = 'running';
  #seen = 0;
  #changed = 0;
  #failed = 0;
  #problem: string | undefined;
  /** Settles, never rejects, when the run is over. */
  readonly over: Promise<void>;

  constructor(ledger: Pick<Ledger, 'query'>, options: RunOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
    this.over = this.#work(ledger);
  }

  get running(): boolean {
    return this.#state === 'running';
  }

  /** Assets being worked on are finished; no further one is begun. */
  stop(): void {
    this.#stop.abort();
  }

  view() {
    const { action, filter } = this.#options;
    return {
      id: this.id,
      action,
      filter,
      startedAt: this.startedAt,
      state: this.#state,
      seen: this.#seen,
      changed: this.#changed,
      failed: this.#failed,
      ...(this.#problem !== undefined && { problem: this.#problem }),
    };
  }

  async #work(ledger: Pick<Ledger, 'query'>): Promise<void> {
    try {
      let after: string | undefined;
      do {
        const page = await ledger.query({
          ...this.#options.filter,
          limit: pageSize,
          ...(after !== undefined && { after }),
        });
        await this.#workOnPage(page.records);
        after = page.next;
      } while (after !== undefined && !this.#signal.aborted);
      this.#state = this.#signal.aborted ? 'stopped' : 'done';
    } catch (error) {
      this.#state = 'failed';
      this.#problem = messageOf(error);
    }
  }

  async #workOnPage(records: readonly AssetRecord[]): Promise<void> {
    const queue = records.values();
    const worker = async () => {
      for (const record of queue) {
        if (this.#signal.aborted) return;
        this.#seen += 1;
        await this.#workOn(record);
      }
    };
    await Promise.all(Array.from({ length: this.#options.concurrency }, worker));
  }

  async #workOn(record: AssetRecord): Promise<void> {
    try {
      if (await this.#options.each(record)) this.#changed += 1;
    } catch (error) {
      this.#failed += 1;
      this.#problem = messageOf(error);
    }
  }
}
