import cluster, { type Worker } from 'node:cluster';
import { randomUUID } from 'node:crypto';
import { AggregatorRegistry, type PrometheusContentType, type Registry } from 'prom-client';
import type { Job } from './dependencies.ts';

/**
 * With `--workers` the first process has the admin side, and the workers do the work. So it asks them, each time
 * somebody asks it. One that does not answer in time is left out: a stuck worker must not blind the operator.
 * (prom-client's own `clusterMetrics` fails the whole scrape then, and leaves out the first process.)
 */

/** Milliseconds a worker has for its report. */
const longestWait = 1_000;

export interface WorkerReport {
  /** What `Registry.getMetricsAsJSON` gives. */
  readonly metrics: object[];
  readonly jobs: readonly Job[];
  /** What holds uploads up there, one sentence each. */
  readonly notices: readonly string[];
}

interface Question {
  readonly kind: 'report-wanted';
  readonly id: string;
}

interface Answer {
  readonly kind: 'report';
  readonly id: string;
  readonly report: WorkerReport;
}

/** In a worker: reports whenever the first process asks. */
export function answerReports(report: () => Promise<WorkerReport>): void {
  process.on('message', async (message) => {
    if (!isOf<Question>(message, 'report-wanted')) return;
    const answer: Answer = { kind: 'report', id: message.id, report: await report() };
    // The first process may be gone by now; then nobody asks any more.
    if (process.connected) process.send?.(answer);
  });
}

/** In the first process: what its workers report; empty where it has none. */
export async function collectReports(waitMs = longestWait): Promise<WorkerReport[]> {
  const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker?.isConnected());
  const reports = await Promise.all(workers.map((worker) => (worker === undefined ? undefined : ask(worker, waitMs))));
  return reports.filter((report) => report !== undefined);
}

/** The metrics of the first process and its workers as one: counters add up. */
export function fleetRegistry(own: Registry, collect = collectReports): Pick<Registry, 'contentType' | 'metrics'> {
  return {
    contentType: own.contentType,
    async metrics() {
      const reports = await collect();
      const all = [await own.getMetricsAsJSON(), ...reports.map(({ metrics }) => metrics)];
      return await AggregatorRegistry.aggregate<PrometheusContentType>(all).metrics();
    },
  };
}

async function ask(worker: Worker, waitMs: number): Promise<WorkerReport | undefined> {
  const question: Question = { kind: 'report-wanted', id: randomUUID() };
  const { promise, resolve } = Promise.withResolvers<WorkerReport | undefined>();
  const giveUp = () => resolve(undefined);
  const listen = (message: unknown) => {
    if (isOf<Answer>(message, 'report') && message.id === question.id) resolve(message.report);
  };
  const timer = setTimeout(giveUp, waitMs);
  worker.on('message', listen).once('disconnect', giveUp);
  worker.send(question, (error) => {
    if (error !== null) giveUp();
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    worker.off('message', listen).off('disconnect', giveUp);
  }
}

function isOf<Message extends { readonly kind: string }>(message: unknown, kind: Message['kind']): message is Message {
  return typeof message === 'object' && message !== null && 'kind' in message && message.kind === kind;
}
