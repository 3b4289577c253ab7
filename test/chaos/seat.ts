import { setTimeout as delay } from 'node:timers/promises';
import { type LazyferryOptions, type LazyferryProcess, startLazyferry } from '../support/lazyferry-process.ts';

/** Requests sent before the load balancer took the process out arrive within this time. */
const onTheirWayMs = 100;

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

  /**
   * Stops it as for a new version and starts it again, the way a load balancer does: no new requests, a moment for
   * those on their way, then SIGTERM. No excuse for a client that is cut off. Returns the exit code.
   */
  async replace(): Promise<number | null> {
    const code = await this.stop();
    await this.start();
    return code;
  }

  async stop(): Promise<number | null> {
    this.process = undefined;
    await delay(onTheirWayMs);
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
