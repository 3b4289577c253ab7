import { fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TaskReply, TaskRequest } from './tasks.ts';

/** The file took too long, or its reading ended the process: it is broken, or made to do so. */
export class DecodingStopped extends Error {
  override readonly name = 'DecodingStopped';
}

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

  constructor() {
    // Whoever asks hears of it; an idle one is found dead.
    this.#child.on('error', () => {});
  }

  get isAlive(): boolean {
    return this.#child.connected;
  }

  /**
   * The process is killed where there is no answer in time.
   *
   * @throws {DecodingStopped}
   */
  async ask(request: TaskRequest, milliseconds: number): Promise<TaskReply> {
    const { promise, resolve, reject } = Promise.withResolvers<TaskReply>();
    const ended = () => reject(new DecodingStopped('reading the file ended its process'));
    const late = () => reject(new DecodingStopped(`reading the file took more than ${milliseconds / 1000} s`));
    const timer = setTimeout(late, milliseconds);
    const answered = (reply: unknown) => resolve(reply as TaskReply);
    this.#child.once('message', answered).once('exit', ended).once('error', ended);
    this.#child.send(request, (error) => error !== null && ended());
    try {
      return await promise;
    } catch (error) {
      this.kill();
      throw error;
    } finally {
      clearTimeout(timer);
      this.#child.off('message', answered).off('exit', ended).off('error', ended);
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
