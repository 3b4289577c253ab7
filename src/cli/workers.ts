import cluster, { type Worker } from 'node:cluster';
import type { StoreAccount } from '../app.ts';
import type { Log } from '../server/log.ts';

const accountVariable = 'LAZYFERRY_STORE_ACCOUNT';

export interface WorkersOptions {
  readonly workers: number;
  readonly account: StoreAccount;
  readonly log: Log;
  readonly graceMs: number;
}

export interface Workers {
  /** Where they all listen. */
  readonly url: string;
  /** Tells every worker to stop. */
  leave(): void;
  /** Resolves when the last worker has ended. */
  close(graceMs: number): Promise<void>;
}

/** A worker that dies sooner than this after its start is replaced only after this long: it may do so again. Others at once. */
const restartMs = 1_000;

/**
 * Starts worker processes that share one delivery address and one ledger, and replaces those that die. Resolves when
 * all of them listen; rejects when one dies before that.
 */
export async function startWorkers({ workers, account, log, graceMs }: WorkersOptions): Promise<Workers> {
  // The workers take connections from one listening socket themselves. Handed over by this process (Node's default), a
  // connection that is on its way to a worker as it dies would never be answered.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  let stopping = false;
  const startedAt = new Map<number, number>();
  const fork = (): Worker => {
    const worker = cluster.fork({ [accountVariable]: JSON.stringify(account) });
    startedAt.set(worker.id, performance.now());
    return worker;
  };
  const replace = () => {
    if (stopping) return;
    const worker = fork();
    readyUrl(worker).then(
      () => log.info({ event: 'worker-replaced', worker: worker.process.pid }, 'a new worker listens'),
      // It died too, and its own end brings the next one.
      () => {},
    );
  };
  const urls = await Promise.all(Array.from({ length: workers }, () => readyUrl(fork())));

  cluster.on('exit', (worker, code, signal) => {
    if (stopping) return;
    log.error({ event: 'worker-died', worker: worker.process.pid, code, signal }, 'a worker died and is replaced');
    const lived = performance.now() - (startedAt.get(worker.id) ?? 0);
    startedAt.delete(worker.id);
    setTimeout(replace, lived < restartMs ? restartMs : 0);
  });
  // Each worker watches the configuration file itself; the signal reaches this process only.
  const passOn = () => {
    for (const worker of running()) worker.process.kill('SIGHUP');
  };
  process.on('SIGHUP', passOn);
  const leave = () => {
    if (stopping) return;
    stopping = true;
    process.off('SIGHUP', passOn);
    for (const worker of running()) worker.process.kill('SIGTERM');
  };
  const [url = ''] = urls;
  return {
    url,
    leave,
    async close() {
      leave();
      const exits = running().map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
      const cut = setTimeout(() => {
        for (const worker of running()) worker.process.kill('SIGKILL');
      }, graceMs + 4_000);
      await Promise.all(exits);
      clearTimeout(cut);
    },
  };
}

function running(): readonly Worker[] {
  return Object.values(cluster.workers ?? {}).filter((worker): worker is Worker => worker?.isDead() === false);
}

/** The account that the first process gave this worker; undefined in any other process. */
export function accountFromPrimary(): StoreAccount | undefined {
  const text = process.env[accountVariable];
  return cluster.isWorker && text !== undefined ? (JSON.parse(text) as StoreAccount) : undefined;
}

function readyUrl(worker: Worker): Promise<string> {
  return new Promise((resolve, reject) => {
    worker.once('exit', (code) => reject(new Error(`a worker ended with code ${code} before it was ready`)));
    worker.on('message', (message: { kind?: string; url?: string }) => {
      if (message.kind === 'ready' && message.url !== undefined) resolve(message.url);
    });
  });
}
