import type { Ledger } from '../../ledger/ledger.ts';
import { ApiError } from './api-error.ts';
import { AssetRun, type RunOptions } from './asset-run.ts';

/** Uploads are bounded again where they are made; this leaves room there for live traffic. */
const concurrency = 4;
const remembered = 10;

/** The runs of this process: one at a time, the last ones remembered. */
export class AssetRuns {
  readonly #ledger: Pick<Ledger, 'query'>;
  readonly #signal: AbortSignal;
  #runs: AssetRun[] = [];

  constructor(ledger: Pick<Ledger, 'query'>, signal: AbortSignal) {
    this.#ledger = ledger;
    this.#signal = signal;
  }

  /** @throws {ApiError} 409 while another run is under way */
  start(options: Pick<RunOptions, 'action' | 'filter' | 'each'>): AssetRun {
    const current = this.#runs.find((run) => run.running);
    if (current !== undefined) {
      const { action, id } = current.view();
      throw new ApiError(
        409,
        'run-under-way',
        `a ${action} of many assets is under way: wait for it, or stop it by POST /api/runs/${id}/stop`,
      );
    }
    const run = new AssetRun(this.#ledger, { ...options, concurrency, signal: this.#signal });
    this.#runs = [run, ...this.#runs].slice(0, remembered);
    return run;
  }

  stop(id: string): AssetRun | undefined {
    const run = this.#runs.find((candidate) => candidate.id === id);
    run?.stop();
    return run;
  }

  list() {
    return this.#runs.map((run) => run.view());
  }
}
