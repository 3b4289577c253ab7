import { Registry } from 'prom-client';
import { createMetrics } from '../../src/admin/metrics.ts';
import { answerReports } from '../../src/admin/worker-reports.ts';

// A cluster worker that has answered three requests and makes one upload. `STUCK`: it never reports.
const registry = new Registry();
const metrics = createMetrics(registry, { inFlight: () => 1, version: '1.2.3' });
for (let request = 0; request < 3; request += 1) metrics.request('/images/', 'warm', 0);
const key = { mapping: '/images/', path: `${process.pid}.jpg`, query: '' };

if (process.env.STUCK === undefined) {
  answerReports(async () => ({
    metrics: await registry.getMetricsAsJSON(),
    jobs: [{ key, startedAt: 1, bytes: 2, via: 'bytes' }],
    notices: [],
  }));
} else {
  // Stays alive as a worker does, and is silent.
  process.on('message', () => {});
}
process.send?.('up');
