import { Counter, Gauge, type Registry } from 'prom-client';
import type { Migration } from '../migration/migration.ts';
import type { SweepEvent } from '../migration/sweeper.ts';
import type { ByteBudget } from '../origin/byte-budget.ts';
import type { Log } from './log.ts';

/** What holds uploads up in this process. */
export function registerFlowMetrics(
  registry: Registry,
  migration: Pick<Migration, 'breakers' | 'pausedFor' | 'queued'>,
): void {
  const registers = [registry];
  new Gauge({
    name: 'lazyferry_breaker_open',
    help: 'Processes that begin no upload because the target (store, or the origin named) only fails.',
    labelNames: ['target'] as const,
    registers,
    collect() {
      this.reset();
      for (const { target } of migration.breakers()) this.set({ target }, 1);
    },
  });
  new Gauge({
    name: 'lazyferry_uploads_paused_seconds',
    help: 'How much longer uploads pause because the store limits their rate; 0: they do not.',
    aggregator: 'max',
    registers,
    collect() {
      this.set(migration.pausedFor / 1000);
    },
  });
  new Gauge({
    name: 'lazyferry_uploads_queued',
    help: 'Upload jobs that wait for a slot.',
    registers,
    collect() {
      this.set(migration.queued);
    },
  });
}

/** What origin reads keep while clients and uploads take their time. */
export function registerSpoolMetrics(
  registry: Registry,
  spools: { readonly memory: ByteBudget; readonly disk: ByteBudget },
): void {
  new Gauge({
    name: 'lazyferry_spool_bytes',
    help: 'Bytes of origin reads that are kept for slower readers, in memory and on disk (spool.memory, spool.disk).',
    labelNames: ['where'] as const,
    registers: [registry],
    collect() {
      this.set({ where: 'memory' }, spools.memory.taken);
      this.set({ where: 'disk' }, spools.disk.taken);
    },
  });
}

/** Turns what the sweeper did into metrics and log lines. The jobs themselves are told of by the migration. */
export function observeSweep(registry: Registry, log: Log): (event: SweepEvent) => void {
  const swept = new Counter({
    name: 'lazyferry_swept_total',
    help: 'Assets taken up without a request, because a back-off or a lease had ended, by what came of it.',
    labelNames: ['outcome'] as const,
    registers: [registry],
  });
  const dropped = new Counter({
    name: 'lazyferry_idle_dropped_total',
    help: 'Records of idle assets that were dropped from the ledger, because of their age or number.',
    registers: [registry],
  });
  return (event) => {
    switch (event.kind) {
      case 'dropped':
        dropped.inc(event.assets);
        log.info({ event: 'idle-dropped', assets: event.assets }, 'records of idle assets were dropped');
        break;
      case 'swept':
        swept.inc({ outcome: event.outcome.kind });
        break;
      case 'duty':
        log.info({ event: 'sweeping' }, 'this process takes up what is due, for the whole fleet');
        break;
      case 'broken':
        log.error({ event: 'sweep-failed', error: String(event.error) }, 'the sweep failed');
    }
  };
}
