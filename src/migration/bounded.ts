import type { MigrationOutcome, MigrationRequest, Migrator } from './migrator.ts';

export interface Bounds {
  /** Jobs at a time; may change from one moment to the next, and is 1 at least. */
  readonly concurrency: () => number;
  /** Jobs that may wait. One more is postponed: its asset is served from the origin and tried by a later request. */
  readonly queue: number;
}

/**
 * So many jobs at a time, the others in order of arrival. It stands outside the claim, so that a queue that is long
 * here leaves its assets to the other processes of the fleet.
 */
export class Bounded implements Migrator {
  readonly #inner: Migrator;
  readonly #bounds: Bounds;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #stopping = false;

  constructor(inner: Migrator, bounds: Bounds) {
    this.#inner = inner;
    this.#bounds = bounds;
  }

  get queued(): number {
    return this.#waiting.length;
  }

  async migrate(request: MigrationRequest): Promise<MigrationOutcome> {
    if (this.#running >= this.#bounds.concurrency()) {
      if (this.#waiting.length >= this.#bounds.queue) return { kind: 'postponed', why: 'overloaded' };
      await new Promise<void>((resume) => this.#waiting.push(resume));
    } else {
      this.#running += 1;
    }
    try {
      if (this.#stopping) return { kind: 'postponed', why: 'stopping' };
      return await this.#inner.migrate(request);
    } finally {
      this.#running -= 1;
      this.#resume();
    }
  }

  /** The slot is taken for those who wait, so that a newcomer cannot slip in before them. */
  #resume(): void {
    while (this.#running < this.#bounds.concurrency()) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running += 1;
      next();
    }
  }

  /** Starts nothing any more: what waits, and what comes, is postponed. */
  stop(): void {
    this.#stopping = true;
  }
}
