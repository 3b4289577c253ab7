import { type LazyferryOptions, type LazyferryProcess, startLazyferry } from '../support/lazyferry-process.ts';

/** One place in the fleet. Its process may die and be replaced; its data directory stays. */
export class Seat implements AsyncDisposable {
  readonly #options: LazyferryOptions;
  #process: LazyferryProcess | undefined;
  /** Counts each time that a client may have been cut off: killed, stopped, started anew. */
  disturbances = 0;

  constructor(options: LazyferryOptions) {
    this.#options = options;
  }

  /** Undefined while there is none, or it stands still. */
  process: LazyferryProcess | undefined;

  async start(): Promise<void> {
    this.#process = await startLazyferry(this.#options);
    this.process = this.#process;
  }

  async crash(): Promise<void> {
    this.#leave();
    await this.#process?.kill();
    await this.start();
  }

  async standStill(until: Promise<unknown>): Promise<void> {
    this.#leave();
    this.#process?.pause();
    await until;
    this.#process?.resume();
    this.process = this.#process;
  }

  /** Stops as for a new version, and starts it. Clients are told to leave by the connection's end, never by an error. */
  async replace(): Promise<{ readonly code: number | null }> {
    this.#leave();
    const exit = await this.#process?.terminate();
    await this.start();
    return { code: exit?.code ?? null };
  }

  async stop(): Promise<number | null> {
    this.#leave();
    const exit = await this.#process?.terminate();
    return exit?.code ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
  }

  #leave(): void {
    this.process = undefined;
    this.disturbances += 1;
  }
}
