import { readFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { registerLedgerMetrics } from '../../../src/admin/ledger-metrics.ts';
import { createMetrics } from '../../../src/admin/metrics.ts';
import { type Ledger, LedgerUnavailable } from '../../../src/ledger/ledger.ts';
import { ByteBudget } from '../../../src/origin/byte-budget.ts';
import { observeSweep, registerFlowMetrics, registerSpoolMetrics } from '../../../src/server/flow-metrics.ts';

const states = { known: 1, claimed: 0, stored: 5, verified: 2, failed: 1, missing: 0, tombstoned: 0 };

function registryWith(tally: Ledger['tally']) {
  const registry = new Registry();
  const metrics = createMetrics(registry, { inFlight: () => 3, version: '1.2.3' });
  registerLedgerMetrics(registry, { tally });
  return { registry, metrics };
}

const answering = async () =>
  [{ mapping: '/images/', states, failures: { 'origin-timeout': 1 }, storedBytes: 700 }] as const;

describe('the metrics', () => {
  test('count requests, uploads, claims and duplicates avoided under the words of the design', async () => {
    const { registry, metrics } = registryWith(answering);
    metrics.request('/images/', 'warm', 0);
    metrics.request('/images/', 'cold', 500);
    metrics.request(undefined, 'unmapped', 20);
    metrics.firstByte('warm', 0.0004);
    metrics.upload('/images/', { outcome: 'stored', seconds: 0.3, bytes: 500 });
    metrics.upload('/images/', { outcome: 'failed', reason: 'origin-timeout', seconds: 15 });
    metrics.claim('won');
    metrics.spared('flight');
    metrics.originRequest('/images/', 'serve', 500);
    const lines = (await registry.metrics()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'lazyferry_requests_total{mapping="/images/",outcome="warm"} 1',
        'lazyferry_requests_total{mapping="none",outcome="unmapped"} 1',
        'lazyferry_response_bytes_total{mapping="/images/",outcome="cold"} 500',
        'lazyferry_first_byte_seconds_bucket{le="0.0005",outcome="warm"} 1',
        'lazyferry_uploads_total{mapping="/images/",outcome="stored",reason="none"} 1',
        'lazyferry_uploads_total{mapping="/images/",outcome="failed",reason="origin-timeout"} 1',
        'lazyferry_uploaded_bytes_total{mapping="/images/"} 500',
        'lazyferry_claims_total{result="won"} 1',
        'lazyferry_duplicates_avoided_total{by="flight"} 1',
        'lazyferry_origin_requests_total{mapping="/images/",purpose="serve"} 1',
        'lazyferry_origin_bytes_total{mapping="/images/",purpose="serve"} 500',
        'lazyferry_uploads_in_flight 3',
        'lazyferry_info{version="1.2.3"} 1',
      ]),
    );
  });

  test('tell what the ledger holds, and that it answers', async () => {
    const text = await registryWith(answering).registry.metrics();
    expect(text).toContain('lazyferry_assets{mapping="/images/",state="stored"} 5\n');
    expect(text).toContain('lazyferry_failures{mapping="/images/",reason="origin-timeout"} 1\n');
    expect(text).toContain('lazyferry_stored_bytes{mapping="/images/"} 700\n');
    expect(text).toContain('lazyferry_ledger_up 1\n');
  });

  test('go on without the ledger, and show that it is down', async () => {
    const { registry, metrics } = registryWith(() => Promise.reject(new LedgerUnavailable('down')));
    metrics.claim('unavailable');
    const text = await registry.metrics();
    expect(text).toContain('lazyferry_ledger_up 0\n');
    expect(text).toContain('lazyferry_claims_total{result="unavailable"} 1\n');
    expect(text).not.toContain('lazyferry_assets{');
  });

  test('ask the ledger once a scrape', async () => {
    let asked = 0;
    const { registry } = registryWith(async () => {
      asked += 1;
      return answering();
    });
    await registry.metrics();
    expect(asked).toBe(1);
  });

  test('are in the table of docs/operations.md, each with its labels, and no others', async () => {
    const { registry } = registryWith(answering);
    registerSpoolMetrics(registry, { memory: new ByteBudget(0), disk: new ByteBudget(0) });
    registerFlowMetrics(registry, { breakers: () => [], pausedFor: 0, queued: 0 });
    observeSweep(registry, { debug() {}, info() {}, warn() {}, error() {} });
    const inCode = registry
      .getMetricsAsArray()
      .filter(({ name }) => name.startsWith('lazyferry_'))
      .map((metric) => {
        const { name, labelNames } = metric as unknown as { name: string; labelNames: string[] };
        return `${name} ${labelNames.toSorted().join(',')}`;
      });
    const rows = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8').matchAll(
      /^\| `(lazyferry_\w+)` +\|[^|]*\|([^|]*)\|/gm,
    );
    const inTable = [...rows].map(([, name, labels = '']) => {
      const names = [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label);
      return `${name} ${names.toSorted().join(',')}`;
    });
    expect(inTable.toSorted()).toEqual(inCode.toSorted());
    expect(inCode.length).toBeGreaterThan(10);
  });
});
