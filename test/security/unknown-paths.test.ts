import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Canary, inParallel, startCanary } from '../support/canary.ts';
import { residentBytes } from '../support/proc.ts';
import { getRaw } from '../support/raw-http.ts';

/** Idle records that the ledger may keep. */
const most = 100;

let canary: Canary;
beforeAll(async () => {
  canary = await startCanary([{ prefix: '/images/' }], { ledger: { idle: { most } } });
});
afterAll(() => canary?.[Symbol.asyncDispose]());

interface Counts {
  readonly records: number;
  readonly dropped: number;
}

/** As the metrics tell them. */
async function counts(): Promise<Counts> {
  const text = await (await fetch(`${canary.proxy.admin}/metrics`)).text();
  const sum = (name: string) =>
    [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, 'gm'))].reduce(
      (all, [, count]) => all + Number(count),
      0,
    );
  return { records: sum('lazyferry_assets'), dropped: sum('lazyferry_idle_dropped_total') };
}

test('a scan of 3,000 paths that do not exist uploads nothing, and leaves no more records than the bound', {
  timeout: 60_000,
}, async () => {
  const { pid, delivery } = canary.proxy;
  await getRaw(delivery, '/images/first');
  const memory = residentBytes(pid);
  const paths = Array.from({ length: 3_000 }, (_, index) => `/images/scan/${index}.jpg`);
  await inParallel(paths, async (path) => {
    expect((await getRaw(delivery, path)).status).toBe(404);
  });
  await vi.waitUntil(async () => (await counts()).records <= most, { timeout: 30_000, interval: 100 });
  expect((await counts()).dropped).toBeGreaterThanOrEqual(paths.length - most);
  expect(canary.proxy.logs.filter(({ event }) => event === 'stored')).toEqual([]);
  expect((residentBytes(pid) - memory) / paths.length, 'bytes a path').toBeLessThan(40_000);
});
