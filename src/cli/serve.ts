import cluster from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { adminAccessProblems } from '../admin/access/exposure.ts';
import { type App, createApp, type StoreAccount } from '../app.ts';
import { type LoadedConfig, type LoadOptions, loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { createRedactor } from '../config/redact.ts';
import { watchConfig } from '../config/reload.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import { listen } from '../server/listener.ts';
import { createLog, type Log } from '../server/log.ts';
import { reportBugs, stopSignal } from '../server/shutdown.ts';
import { type EmbeddedStore, startEmbeddedStore } from './embedded-store.ts';
import { collect } from './repeatable.ts';
import { version } from './version.ts';
import { accountFromPrimary, startWorkers } from './workers.ts';

export interface ServeOptions {
  readonly load: LoadOptions;
  /** Processes that answer delivery requests; 1: this one. */
  readonly workers: number;
  readonly onReady?: (serving: Serving) => void;
}

/** Where everything is to be found. */
export interface Serving {
  readonly delivery: string;
  readonly admin: string;
  /** The embedded store; undefined where an account is configured. */
  readonly store: string | undefined;
  readonly config: ResolvedConfig;
}

export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('run the proxy: delivery, admin side and, where no account is configured, the embedded store')
    .option('-c, --config <file>', 'configuration file; else LAZYFERRY_CONFIG')
    .option('-m, --map <prefix=url>', 'a mapping besides those of the file', collect, [])
    .option('-w, --workers <n>', 'processes that answer delivery requests', wholeNumber, 1)
    .action((options: { config?: string; map: readonly string[]; workers: number }) =>
      serve({ load: { environment: process.env, file: options.config, maps: options.map }, workers: options.workers }),
    );
}

/**
 * Runs until SIGTERM or SIGINT. Rejects when it cannot start: a broken configuration, an address in use.
 *
 * One process answers delivery and admin. With workers the first process has the admin side and the embedded store,
 * and the workers, which share its delivery address, do the rest.
 */
export async function serve({ load, workers, onReady }: ServeOptions): Promise<void> {
  const loaded = loadConfig(load);
  const { config } = loaded;
  let redact = createRedactor(config);
  const log = createLog({ level: config.log.level, redact: (text) => redact(text) });
  reportBugs(log);
  for (const warning of loaded.warnings) log.warn({ event: 'config' }, formatProblem(warning));

  refuseOpenAdmin(config);
  const isWorker = cluster.isWorker;
  const embedded = config.store.url === undefined && !isWorker ? await openEmbeddedStore(config, log) : undefined;
  const account = embedded?.account ?? accountFromPrimary() ?? configuredAccount(config);
  // The embedded store's secret is in no configuration.
  const started: ResolvedConfig = { ...config, store: { ...config.store, url: account.url } };
  redact = createRedactor(started);
  const app = createApp({ config, account, log, version });
  // An origin or a store may repeat a secret in what it says of a failure, and the admin side shows what they said.
  app.admin.set('json replacer', (_key: string, value: unknown) => (typeof value === 'string' ? redact(value) : value));
  let inUse = config;
  const stopWatching = watchConfig({
    current: loaded,
    load: () => loadConfig(load),
    onChange: (next: LoadedConfig, waiting: readonly string[]) => {
      app.reload(next.config);
      // Some of what has changed waits for a restart, and requests under way end with the credentials they began with.
      redact = createRedactor(next.config, inUse, started);
      inUse = next.config;
      for (const warning of next.warnings) log.warn({ event: 'config' }, formatProblem(warning));
      log.info({ event: 'config-reloaded', waitForRestart: waiting }, 'the configuration was reloaded');
    },
    onError: (error) =>
      log.error({ event: 'config-refused', error: String(error) }, 'the last good configuration stays'),
  });

  const listeners: Leaving[] = [];
  try {
    // Ahead of the admin side: a load balancer that reads its `/readyz` may send requests at once.
    const delivery =
      workers > 1 && !isWorker
        ? await startWorkers({ workers, account, log, graceMs: config.shutdown.grace })
        : await listen(app.delivery, config.listen.delivery, config.listen);
    listeners.push(delivery);
    const admin = isWorker ? undefined : await listen(app.admin, config.listen.admin, config.listen);
    if (admin !== undefined) listeners.push(admin);
    const serving = { delivery: delivery.url, admin: admin?.url ?? '', store: embedded?.store.url, config };
    if (!isWorker) {
      log.info({ event: 'ready', delivery: serving.delivery, admin: serving.admin, store: serving.store }, 'ready');
    }
    process.send?.({ kind: 'ready', url: delivery.url });
    onReady?.(serving);

    const signal = await stopSignal();
    log.info({ event: 'stopping', signal }, 'stopping');
  } finally {
    // Also when it could not start: nothing may keep the process alive then.
    stopWatching();
    await stop(app, listeners, embedded, config.shutdown);
  }
  log.info({ event: 'stopped' }, 'stopped');
  if (cluster.isWorker) cluster.worker?.disconnect();
}

interface Leaving {
  leave(): void;
  close(graceMs: number): Promise<void>;
}

/**
 * The order of a stop (invariant 13): say that we leave, and answer what is on its way still, each answer the last of its
 * connection; take no connection and let answers and uploads finish; give claims back when the time is over; then close
 * what they used.
 */
async function stop(
  app: App,
  listeners: readonly Leaving[],
  embedded: EmbeddedStore | undefined,
  { drain, grace }: ResolvedConfig['shutdown'],
): Promise<void> {
  // Whatever hangs: the process ends.
  setTimeout(() => process.exit(1), grace + 5_000).unref();
  app.leave();
  for (const listener of listeners) listener.leave();
  // Load balancers go on sending for a while, and a connection that is closed with an unread request in it is an error
  // to its client.
  const drainMs = Math.min(drain, grace / 2);
  await delay(drainMs);
  const graceMs = grace - drainMs;
  await Promise.all([...listeners.map((listener) => listener.close(graceMs)), app.close(graceMs)]);
  await embedded?.store.close();
}

async function openEmbeddedStore(config: ResolvedConfig, log: Log): Promise<EmbeddedStore> {
  const privateOrigins = config.mappings.filter(({ network }) => network.allowPrivate).map(({ origin }) => origin);
  return startEmbeddedStore(config.store, privateOrigins, log);
}

function configuredAccount(config: ResolvedConfig): StoreAccount {
  const { url = '', uploadPrefix, deliveryPrefix } = config.store;
  return { url, uploadPrefix, deliveryPrefix };
}

/** @throws {Error} when the admin side may not start with its address and tokens */
function refuseOpenAdmin({ listen: { admin }, admin: { token, readToken } }: ResolvedConfig): void {
  const problems = adminAccessProblems({ host: admin.host, token, readToken });
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

function wholeNumber(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > 256)
    throw new InvalidArgumentError('give a whole number from 1 to 256');
  return number;
}
