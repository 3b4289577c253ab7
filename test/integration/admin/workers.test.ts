import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMetrics } from '../../../src/admin/metrics.ts';
import { collectReports, fleetRegistry } from '../../../src/admin/worker-reports.ts';

const script = fileURLToPath(new URL('../../support/reporting-worker.ts', import.meta.url));
let workers: Worker[];

/** Longer than the test may take: who is waited for so long has failed it. */
const patiently = 60_000;

async function start(environment: Record<string, string> = {}): Promise<Worker> {
  const worker = cluster.fork(environment);
  workers.push(worker);
  await once(worker, 'message');
  return worker;
}

beforeEach(() => {
  workers = [];
  cluster.setupPrimary({ exec: script, execArgv: [] });
});
afterEach(async () => {
  const alive = workers.filter((worker) => !worker.isDead());
  await Promise.all(
    alive.map((worker) => {
      const exit = once(worker, 'exit');
      worker.process.kill('SIGKILL');
      return exit;
    }),
  );
});

describe('with workers', () => {
  test('the metrics of the first process and all workers add up', async () => {
    await Promise.all([start(), start()]);
    const own = new Registry();
    createMetrics(own, { inFlight: () => 0, version: '1.2.3' }).request('/images/', 'warm', 0);
    const text = await fleetRegistry(own, () => collectReports(patiently)).metrics();
    expect(text).toContain('lazyferry_requests_total{mapping="/images/",outcome="warm"} 7\n');
    expect(text).toContain('lazyferry_uploads_in_flight 2\n');
    expect(text).toContain('lazyferry_info{version="1.2.3"} 1\n');
  });

  test('the uploads of all workers are known', async () => {
    const pids = (await Promise.all([start(), start()])).map(({ process }) => `${process.pid}.jpg`);
    const jobs = (await collectReports(patiently)).flatMap((report) => report.jobs);
    expect(jobs.map(({ key }) => key.path).toSorted()).toEqual(pids.toSorted());
  });

  test('one that is stuck is left out when its time is over', async () => {
    await Promise.all([start(), start({ STUCK: '1' })]);
    expect(await collectReports(3_000)).toHaveLength(1);
  });

  test('one that dies while it is asked is not waited for', async () => {
    const [, stuck] = await Promise.all([start(), start({ STUCK: '1' })]);
    const reports = collectReports(patiently);
    stuck.process.kill('SIGKILL');
    expect(await reports).toHaveLength(1);
  });

  test('a process without any has its own metrics', async () => {
    const own = new Registry();
    createMetrics(own, { inFlight: () => 4, version: '1.2.3' });
    expect(await fleetRegistry(own).metrics()).toContain('lazyferry_uploads_in_flight 4\n');
    expect(await collectReports()).toEqual([]);
  });
});
