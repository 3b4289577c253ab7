import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endWithTests, killGroup } from './child.ts';

const main = join(import.meta.dirname, '../../src/main.ts');

export interface LazyferryOptions {
  /** What follows `serve`: `['--map', '/images/=http://127.0.0.1:1/']`. */
  readonly args: readonly string[];
  /** Another command than `serve`; `store` has neither a delivery nor an admin side. */
  readonly command?: 'store';
  /** Added to an environment that knows neither an account nor a Redis nor a configuration of yours. */
  readonly environment?: Readonly<Record<string, string>>;
  /** `LAZYFERRY_DATA`. Default: a fresh folder, which goes with the process. */
  readonly dataDirectory?: string;
  /** The program to start instead of `src/main.ts`. */
  readonly entry?: string;
}

interface LogLine {
  readonly event?: string;
  readonly [field: string]: unknown;
}

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** `lazyferry serve` in a process of its own. `await using` ends it, and all it started, with the test. */
export interface LazyferryProcess extends AsyncDisposable {
  readonly pid: number;
  /** URL of the delivery listener. */
  readonly delivery: string;
  /** URL of the admin listener. */
  readonly admin: string;
  /** URL of the embedded store; undefined where none was started. */
  readonly store: string | undefined;
  readonly dataDirectory: string;
  /** The JSON lines of its stdout so far. */
  readonly logs: readonly LogLine[];
  /** Everything it wrote so far, stdout and stderr, to search for what must not be there. */
  output(): string;
  /** The first line, past or to come, that fits. Rejects when the process ends without one. */
  logged(fits: (line: LogLine) => boolean): Promise<LogLine>;
  /** How it ended, whenever it does. */
  readonly exited: Promise<Exit>;
  /** SIGTERM, as an orderly stop comes; resolves with the end of the process. */
  terminate(): Promise<Exit>;
  /** SIGKILL: a crash. */
  kill(): Promise<Exit>;
  /** SIGSTOP: the process stands still but keeps its sockets, as under a long pause of its machine. */
  pause(): void;
  /** SIGCONT, after `pause`. */
  resume(): void;
  /** Any other signal, such as SIGHUP. */
  signal(name: NodeJS.Signals): void;
}

/**
 * Starts `lazyferry serve ARGS` and waits for its ready line, which names the ports it took: ask for port 0.
 *
 * @throws {Error} with all it wrote when the process ends before it is ready
 */
export async function startLazyferry(options: LazyferryOptions): Promise<LazyferryProcess> {
  const ownDirectory = options.dataDirectory === undefined;
  const dataDirectory = options.dataDirectory ?? (await mkdtemp(join(tmpdir(), 'lazyferry-data-')));
  const child = spawn(process.execPath, [options.entry ?? main, options.command ?? 'serve', ...options.args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...neutralEnvironment(), LAZYFERRY_DATA: dataDirectory, ...options.environment },
  });
  endWithTests(child);
  const logs: LogLine[] = [];
  const written: string[] = [];
  const waiting = new Set<(line: LogLine) => void>();
  createInterface({ input: child.stderr }).on('line', (line) => written.push(line));
  createInterface({ input: child.stdout }).on('line', (text) => {
    written.push(text);
    const line = parseLogLine(text);
    if (line === undefined) return;
    logs.push(line);
    for (const look of waiting) look(line);
  });
  // `close` comes after the last byte of output, so whoever awaits the exit sees the whole log.
  const exited = once(child, 'close').then(([code, signal]): Exit => ({ code, signal }));
  exited.catch(() => undefined);

  const logged = async (fits: (line: LogLine) => boolean): Promise<LogLine> => {
    const past = logs.find(fits);
    if (past !== undefined) return past;
    const found = Promise.withResolvers<LogLine>();
    const look = (line: LogLine) => fits(line) && found.resolve(line);
    waiting.add(look);
    try {
      return await Promise.race([found.promise, exited.then((exit) => refuse(exit, written))]);
    } finally {
      waiting.delete(look);
    }
  };
  const end = async (name: NodeJS.Signals): Promise<Exit> => {
    child.kill(name);
    return exited;
  };
  const dispose = async (): Promise<void> => {
    killGroup(child);
    await exited;
    if (ownDirectory) await rm(dataDirectory, { recursive: true, force: true });
  };

  try {
    const ready = await logged((line) => line.event === 'ready');
    return {
      pid: child.pid ?? 0,
      delivery: String(ready.delivery),
      admin: String(ready.admin),
      store: typeof ready.store === 'string' ? ready.store : undefined,
      dataDirectory,
      logs,
      output: () => written.join('\n'),
      logged,
      exited,
      terminate: () => end('SIGTERM'),
      kill: () => end('SIGKILL'),
      pause: () => void child.kill('SIGSTOP'),
      resume: () => void child.kill('SIGCONT'),
      signal: (name) => void child.kill(name),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function refuse(exit: Exit, written: readonly string[]): never {
  throw new Error(`lazyferry ended with ${exit.code ?? exit.signal}:\n${written.join('\n')}`);
}

/** Our environment without what would lead the process to an account, a Redis or a configuration of the developer's. */
function neutralEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(LAZYFERRY_|CLOUDINARY_|REDIS_|NODE_OPTIONS$)/.test(name),
  );
  return Object.fromEntries(kept);
}

function parseLogLine(text: string): LogLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as LogLine) : undefined;
  } catch {
    return undefined;
  }
}
