import { test } from 'vitest';
import { chaos } from './chaos.ts';
import { describeReport, expectUnharmed } from './verdict.ts';

// npm run test:chaos; CHAOS_SECONDS=600 CHAOS_ASSETS=5000 for the long form.
const seconds = Number(process.env.CHAOS_SECONDS ?? 30);
const assets = Number(process.env.CHAOS_ASSETS ?? 2_000);

test.each(['redis', 'sentinel', 'cluster'] as const)(
  'a fleet of four keeps its promises while processes, the store and its ledger in %s fail',
  { timeout: (seconds + 400) * 1_000 },
  async (ground) => {
    const report = await chaos({ ground, assets, seconds });
    process.stdout.write(`${describeReport(ground, report)}\n`);
    expectUnharmed(report);
  },
);
