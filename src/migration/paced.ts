import type { MigrationOutcome, MigrationRequest, Migrator } from './migrator.ts';
import type { Pace } from './pace.ts';

/** Lets jobs wait while the fleet's uploads pause. It stands outside the claim: who waits keeps nobody from the asset. */
export class Paced implements Migrator {
  readonly #inner: Migrator;
  readonly #pace: Pace;
  readonly #stopping: AbortSignal;

  constructor(inner: Migrator, pace: Pace, stopping: AbortSignal) {
    this.#inner = inner;
    this.#pace = pace;
    this.#stopping = stopping;
  }

  async migrate(request: MigrationRequest): Promise<MigrationOutcome> {
    try {
      await this.#pace.clearance(this.#stopping);
    } catch (error) {
      if (this.#stopping.aborted) return { kind: 'postponed', why: 'stopping' };
      throw error;
    }
    const outcome = await this.#inner.migrate(request);
    if (outcome.kind === 'stored') this.#pace.succeeded();
    return outcome;
  }
}
