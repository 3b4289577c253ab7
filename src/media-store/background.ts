import type { ErrorLog } from './error-response.ts';

/** Work that goes on after its request was answered. Closing stops it and waits for it. */
export class Background {
  readonly #log: ErrorLog;
  readonly #running = new Set<Promise<void>>();
  readonly #stopped = new AbortController();

  constructor(log: ErrorLog) {
    this.#log = log;
  }

  /** Aborted when the store closes. */
  get signal(): AbortSignal {
    return this.#stopped.signal;
  }

  start(work: () => Promise<void>): void {
    const running = work()
      .catch((error: unknown) => {
        if (!this.#stopped.signal.aborted)
          this.#log.error({ err: error }, 'background work of the embedded store failed');
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
