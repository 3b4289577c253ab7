import { fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StoreError } from '../store-error.ts';
import type { TaskReply, TaskRequest } from './tasks.ts';

/** The file took too long, or its reading ended the process: it is broken, or made to do so. */
export class DecodingStopped extends Error {
  override readonly name = 'DecodingStopped';
}

/** A busy machine starts slowly. */
const START_MILLISECONDS = 60_000;

/** JavaScript's part of a decoder's memory; the pixels are bounded by the limits of pictures. */
const HEAP_MEGABYTES = 256;

// Source or build: the program lies beside this file and ends as it does.
const program = fileURLToPath(new URL(`./decoder${extname(import.meta.url)}`, import.meta.url));

/**
 * A process that reads one file at a time. Nothing else bounds a decoder: a loop in native code heeds no timer, and
 * memory that runs out takes its process with it. It gets nothing of our environment, so no secret either.
 */
export class DecoderProcess {
  readonly #child = fork(program, {
    execArgv: [`--max-old-space-size=${HEAP_MEGABYTES}`],
    env: {},
    serialization: 'advanced',
    // What V8 writes as it dies is no line of our log.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });

  readonly #ready: Promise<unknown>;

  constructor() {
    // Whoever asks hears of it; an idle one is found dead.
    this.#child.on('error', () => {});
    this.#ready = this.#message(START_MILLISECONDS);
    this.#ready.catch(() => {});
  }

  get isAlive(): boolean {
    return this.#child.connected;
  }

  /**
   * The process is killed where there is no answer in time.
   *
   * @throws {DecodingStopped}
   * @throws {StoreError} 503 where the process could not be started, which is not the file's fault
   */
  async ask(request: TaskRequest, milliseconds: number): Promise<TaskReply> {
    await this.#ready.catch(() => {
      throw new StoreError(503, 'Files cannot be read now', { 'retry-after': '5' });
    });
    const reply = this.#message(milliseconds);
    // One that is ended by then tells so by its end.
    this.#child.send(request, () => {});
    return (await reply) as TaskReply;
  }

  /** The next message; the process is killed where none comes in time. */
  async #message(milliseconds: number): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const ended = () => reject(new DecodingStopped('reading the file ended its process'));
    const late = () => reject(new DecodingStopped(`reading the file took more than ${milliseconds / 1000} s`));
    const timer = setTimeout(late, milliseconds);
    if (!this.isAlive) ended();
    this.#child.once('message', resolve).once('exit', ended).once('error', ended);
    try {
      return await promise;
    } catch (error) {
      this.kill();
      throw error;
    } finally {
      clearTimeout(timer);
      this.#child.off('message', resolve).off('exit', ended).off('error', ended);
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
