import cluster from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Express } from 'express';
import { Registry } from 'prom-client';
import { createAdmin } from './admin/admin.ts';
import type { Job } from './admin/dependencies.ts';
import { registerLedgerMetrics } from './admin/ledger-metrics.ts';
import { createMetrics } from './admin/metrics.ts';
import { answerReports, collectReports, fleetRegistry } from './admin/worker-reports.ts';
import type { Asset } from './asset/asset.ts';
import type { AssetKey } from './asset/key.ts';
import type { StoredCopy } from './asset/record.ts';
import { redactConfig } from './config/redact.ts';
import type { ResolvedConfig } from './config/resolved.ts';
import type { Mapping } from './config/schema.ts';
import { assetOf } from './delivery/asset-of.ts';
import { CopyCheck } from './delivery/copy-check.ts';
import { CopyWatch } from './delivery/copy-watch.ts';
import { createDelivery, type Delivery } from './delivery/delivery.ts';
import { FirstTouch } from './delivery/first-touch.ts';
import { MappingTable } from './delivery/mapping-table.ts';
import { readPlaceholders } from './delivery/placeholder.ts';
import { targetProblem } from './delivery/refuse.ts';
import { resolve } from './delivery/resolve.ts';
import { createWarmStream } from './delivery/warm-stream.ts';
import { FailingFastLedger } from './ledger/failing-fast-ledger.ts';
import type { Ledger } from './ledger/ledger.ts';
import { openRedisLedger } from './ledger/redis/redis-ledger.ts';
import { RememberingLedger } from './ledger/remembering-ledger.ts';
import { openSqliteLedger } from './ledger/sqlite/sqlite-ledger.ts';
import { LostCopies } from './migration/lost-copies.ts';
import { Migration } from './migration/migration.ts';
import { SourceChoice } from './migration/source-choice.ts';
import { Sweeper } from './migration/sweeper.ts';
import { ByteBudget } from './origin/byte-budget.ts';
import { createHttpOrigin } from './origin/http/http-origin.ts';
import type { Origin } from './origin/origin.ts';
import { createS3Origin } from './origin/s3/s3-origin.ts';
import { SharedReads } from './origin/shared-read.ts';
import { clientAddress } from './server/client-address.ts';
import { countedOrigin } from './server/counted-origin.ts';
import { observeSweep, registerFlowMetrics, registerSpoolMetrics } from './server/flow-metrics.ts';
import type { Log } from './server/log.ts';
import { noticesOf } from './server/notices.ts';
import { observeCutAnswers, observeDelivery, observeLostCopies, observeMigration } from './server/observe.ts';
import { OriginPool } from './server/origin-pool.ts';
import { createReadiness } from './server/readiness.ts';
import { createCloudinaryStore } from './store/cloudinary/cloudinary-store.ts';
import { parseCloudinaryUrl } from './store/cloudinary/cloudinary-url.ts';

export interface AppOptions {
  readonly config: ResolvedConfig;
  /** The account that copies go to: the configured one, or the embedded store's. */
  readonly account: StoreAccount;
  readonly log: Log;
  readonly version: string;
}

export interface StoreAccount {
  /** CLOUDINARY_URL. */
  readonly url: string;
  readonly uploadPrefix?: string | undefined;
  readonly deliveryPrefix?: string | undefined;
}

export interface App {
  readonly delivery: Delivery;
  readonly admin: Express;
  /** Takes a new configuration into use; what only a restart can change is left as it was. */
  reload(config: ResolvedConfig): void;
  /** From now on `/readyz` says no: load balancers send their requests elsewhere. */
  leave(): void;
  /** Finishes or gives back what is under way, and closes what `createApp` opened. */
  close(graceMs: number): Promise<void>;
}

/** Bytes of each shared read that stay in memory. */
const spoolMemoryBytes = 256 << 10;
/** Rest between two looks at what is due: how late a failure is tried again, or a dead process's work taken up. */
const sweepRestMs = 2_000;

/**
 * The one wiring file: it alone constructs drivers. A delivery request meets, in this order:
 *
 * 1. `delivery/`: refuse, resolve to mapping and asset;
 * 2. the ledger's memory (`ledger/remembering-ledger.ts`), then the ledger (`sqlite/` or `redis/`);
 * 3. warm: `warm-redirect.ts` answers from memory, or `warm-stream.ts` reads the store's delivery URL;
 * 4. cold: `migration/` starts the job (single-flight → bounded → paced → guarded → claim → examine → transfer →
 *    prove → settle), which reads the origin driver (`http/` or `s3/`) and writes the store driver (`cloudinary/`),
 *    while `pass-through.ts` answers this client from the same read of the origin.
 *
 * The sweeper starts the same job for what is due, without a request; the admin side looks at the same ledger and
 * starts it too. There is no second way to do either.
 */
export function createApp({ config: first, account, log, version }: AppOptions): App {
  let config = first;
  let table = new MappingTable(config.mappings);
  let leaving = false;
  const { cloudName } = parseCloudinaryUrl(account.url);

  const warn = (message: string) => log.warn({ event: 'ledger' }, message);
  const ledger = new RememberingLedger(new FailingFastLedger(openLedger(config.ledger.url, warn), { warn }), {
    capacity: config.ledger.memory,
    ttlMs: config.ledger.memoryTtl,
  });
  const store = createCloudinaryStore({
    url: account.url,
    timeoutMs: config.store.timeout,
    chunkBytes: config.store.chunkSize,
    uploads: config.store.uploads,
    ...(account.uploadPrefix === undefined ? {} : { uploadPrefix: account.uploadPrefix }),
    ...(account.deliveryPrefix === undefined ? {} : { deliveryPrefix: account.deliveryPrefix }),
  });
  // Asked now, so that the first upload need not wait for them; where the account does not tell, there are none.
  void store.limits();
  const origins = new OriginPool((mapping: Mapping) => openOrigin(mapping, version));
  const spools = { memory: new ByteBudget(config.spool.memory), disk: new ByteBudget(config.spool.disk) };
  const reads = new SharedReads({
    directory: join(config.dataDirectory, 'spool'),
    memoryBytes: spoolMemoryBytes,
    maxBytes: Math.max(...config.mappings.map(({ allow }) => allow.maxBytes)),
    ...spools,
  });

  const copyWatch = new CopyWatch();
  let placeholders = readPlaceholders(config.mappings);
  let clientOf = clientAddress(config.listen.trustedProxies);

  const registry = new Registry();
  const metrics = createMetrics(registry, { inFlight: () => migration.jobs().length, version });
  const cut = observeCutAnswers(metrics, log);
  // As many as there may be clients: one that reads slowly must not keep another from the store.
  const storeConnections = config.listen.maxConnections;
  const warmStream = createWarmStream({ timeoutMs: config.store.timeout, connections: storeConnections, cut });
  // A worker reports to the first process, which alone has an admin side and counts the ledger.
  const jobs = (): Job[] => migration.jobs().map(({ asset, ...job }) => ({ key: asset.key, ...job }));
  if (cluster.isWorker)
    answerReports(async () => ({
      metrics: await registry.getMetricsAsJSON(),
      jobs: jobs(),
      notices: noticesOf(migration, sweeper.trouble),
    }));
  else registerLedgerMetrics(registry, ledger);

  const owner = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`;
  const migration = new Migration({
    ledger,
    store,
    reads,
    owner,
    leaseMs: config.ledger.lease,
    concurrency: config.store.uploads,
    mappingOf: (key) => table.ofKey(key),
    originOf: (mapping) => countedOrigin(origins.of(mapping), mapping.prefix, 'upload', metrics),
    sources: new SourceChoice(Date.now),
    random: Math.random,
    now: Date.now,
    observe: observeMigration(metrics, log),
  });
  const lostCopies = new LostCopies({
    describe: (identity) => store.describe(identity),
    makeAgain: (asset) => migration.ensure(asset, 'lost'),
    observe: observeLostCopies(log),
  });
  const reportLost = (asset: Asset, copy: StoredCopy) => lostCopies.report(asset, copy);
  const delivery = createDelivery({
    routes: () => ({ table, cloudName }),
    peek: (id) => ledger.peek(id),
    lookup: (key) => ledger.lookup(key),
    ensure: (asset, redo) => migration.ensure(asset, redo),
    reportLost,
    copyCheck: new CopyCheck({
      isDelivered: (copy) => store.isDelivered(copy),
      reportLost,
      observe: (result) => metrics.copyCheck(result),
      now: Date.now,
    }),
    deliveryUrl: (copy, options) => store.deliveryUrl(copy, options),
    originOf: (mapping) => countedOrigin(origins.of(mapping), mapping.prefix, 'serve', metrics),
    reads,
    warmStream,
    copyWatch,
    firstTouch: new FirstTouch({ clientOf: (request) => clientOf(request), now: () => performance.now() }),
    placeholderOf: ({ placeholder }) => (placeholder === null ? undefined : placeholders.get(placeholder)),
    observe: observeDelivery(metrics, log),
    cut,
    now: Date.now,
  });

  registerFlowMetrics(registry, migration);
  registerSpoolMetrics(registry, spools);
  const closing = new AbortController();
  const sweeper = new Sweeper({
    ledger,
    migrator: migration,
    owner,
    assetOf: (key) => {
      const mapping = table.ofKey(key);
      return mapping === undefined ? undefined : assetOf(mapping, key);
    },
    idle: { keepMs: config.ledger.idle.keep, most: config.ledger.idle.most },
    concurrency: Math.max(1, Math.ceil(config.store.uploads / 2)),
    restMs: sweepRestMs,
    random: Math.random,
    observe: observeSweep(registry, log),
  });
  const sweeping = sweeper.run(closing.signal);

  const stopped = new AbortController();
  const unsubscribe = ledger.subscribe((news) => copyWatch.hear(news));
  const readiness = createReadiness(ledger, store, async () => [
    ...noticesOf(migration, sweeper.trouble),
    // A probe does not wait for a worker that is stuck.
    ...(await collectReports(250)).flatMap((report) => report.notices),
  ]);
  const admin = createAdmin({
    ledger,
    mappings: () => table.all,
    explain: (path) => {
      // People paste what the address bar shows; on the wire it is percent-encoded. Half a character has no encoding.
      const target = path.toWellFormed().replace(/[^\0-\x7f]+/gu, encodeURIComponent);
      const resolution = resolve(target, { table, cloudName });
      if (resolution.kind === 'asset') return { kind: 'mapped', ...resolution.asset };
      if (resolution.kind === 'bad-target')
        return { kind: 'refused', detail: targetProblem(resolution.problem).detail };
      return { kind: 'unmapped', detail: 'No mapping covers this path.' };
    },
    copyUrl: ({ copy }) => store.deliveryUrl(copy),
    migrate: async (key, redo) => migration.migrate({ asset: requireAsset(key), redo }),
    jobs: async () => [...jobs(), ...(await collectReports()).flatMap((report) => report.jobs)],
    readiness: async () =>
      leaving ? { ready: false, ledger: 'up', store: 'up', reasons: ['the process is stopping'] } : readiness(),
    config: () => redactConfig(config),
    registry: fleetRegistry(registry),
    audit: (entry) => log.info({ event: 'audit', ...entry }, 'audit'),
    report: (error) => log.error({ event: 'admin-failed', error: String(error) }, 'admin failed'),
    version,
    host: config.listen.admin.host,
    hosts: config.admin.hosts,
    token: config.admin.token,
    readToken: config.admin.readToken,
    signal: stopped.signal,
  });

  function requireAsset(key: AssetKey): Asset {
    const mapping = table.ofKey(key);
    if (mapping === undefined) throw new Error(`no mapping has the prefix ${key.mapping} any more`);
    return assetOf(mapping, key);
  }

  return {
    delivery,
    admin,
    reload: (next) => {
      placeholders = readPlaceholders(next.mappings);
      clientOf = clientAddress(next.listen.trustedProxies);
      table = new MappingTable(next.mappings);
      config = next;
      origins.keep(next.mappings);
    },
    leave: () => {
      leaving = true;
    },
    close: async (graceMs) => {
      closing.abort();
      await Promise.all([migration.stop(graceMs), sweeping]);
      stopped.abort();
      unsubscribe();
      warmStream.close();
      await Promise.allSettled([origins.close(), store.close(), ledger.close()]);
    },
  };
}

/** @throws {TypeError} when a Redis URL cannot be read */
export function openLedger(url: string, warn: (message: string) => void): Ledger {
  return url.startsWith('sqlite:')
    ? openSqliteLedger({ path: url.slice('sqlite:'.length), warn })
    : openRedisLedger({ url, warn });
}

function openOrigin(mapping: Mapping, version: string): Origin {
  const { origin, network, auth } = mapping;
  const introduction = { userAgent: `lazyferry/${version}`, via: '1.1 lazyferry' };
  if (origin.startsWith('s3:')) {
    if (auth !== null && auth.kind !== 's3')
      throw new Error(`the mapping ${mapping.prefix} has an s3 origin without s3 keys`);
    return createS3Origin({ origin, network, auth, ...introduction });
  }
  if (auth?.kind === 's3') throw new Error(`the mapping ${mapping.prefix} has s3 keys without an s3 origin`);
  return createHttpOrigin({ origin, network, auth, ...introduction });
}
