import { StoreError } from '../store-error.ts';
import { DecoderProcess } from './decoder-process.ts';
import { Semaphore } from './semaphore.ts';
import type { TaskReply, Tasks } from './tasks.ts';

export interface DecoderPoolOptions {
  /** Processes, each with one file at a time. */
  readonly most: number;
  /** Files that wait for one. */
  readonly mostWaiting: number;
  /** For one file. */
  readonly seconds: number;
}

/** A process that nobody needed for this long is ended: it holds about 100 MB. */
const IDLE_MILLISECONDS = 30_000;

/** Decoder processes, started as they are needed. */
export class DecoderPool {
  readonly #seconds: number;
  readonly #semaphore: Semaphore;
  readonly #idle: { readonly decoder: DecoderProcess; readonly ending: NodeJS.Timeout }[] = [];
  readonly #busy = new Set<DecoderProcess>();
  #closed = false;

  constructor({ most, mostWaiting, seconds }: DecoderPoolOptions) {
    this.#seconds = seconds;
    this.#semaphore = new Semaphore(most, mostWaiting);
  }

  /**
   * @throws {StoreError} as the task does, and 503 when too many wait
   * @throws {DecodingStopped}
   */
  async run<Name extends keyof Tasks>(
    name: Name,
    ...args: Parameters<Tasks[Name]>
  ): Promise<Awaited<ReturnType<Tasks[Name]>>> {
    const value = await this.#semaphore.run(async () => {
      if (this.#closed) throw new StoreError(503, 'The store is closing');
      const decoder = this.#takeIdle() ?? new DecoderProcess();
      this.#busy.add(decoder);
      try {
        const reply = await decoder.ask({ name, args }, this.#seconds * 1000);
        this.#rest(decoder);
        return unpack(reply);
      } finally {
        this.#busy.delete(decoder);
      }
    });
    return value as Awaited<ReturnType<Tasks[Name]>>;
  }

  /** Starts a process ahead of the first file: half a second sooner. */
  prepare(): void {
    this.#rest(new DecoderProcess());
  }

  /** Ends all processes at once, with what they are at. */
  close(): void {
    this.#closed = true;
    for (const decoder of this.#busy) decoder.kill();
    for (let decoder = this.#takeIdle(); decoder !== undefined; decoder = this.#takeIdle()) decoder.kill();
  }

  #takeIdle(): DecoderProcess | undefined {
    const next = this.#idle.pop();
    if (next === undefined) return undefined;
    clearTimeout(next.ending);
    return next.decoder.isAlive ? next.decoder : this.#takeIdle();
  }

  #rest(decoder: DecoderProcess): void {
    const ending = setTimeout(() => {
      this.#idle.splice(this.#idle.indexOf(resting), 1);
      decoder.kill();
    }, IDLE_MILLISECONDS).unref();
    const resting = { decoder, ending };
    this.#idle.push(resting);
  }
}

function unpack(reply: TaskReply): unknown {
  switch (reply.kind) {
    case 'done':
      return reply.value;
    case 'refused':
      throw new StoreError(reply.status, reply.message);
    case 'failed':
      throw new Error(reply.message);
  }
}
