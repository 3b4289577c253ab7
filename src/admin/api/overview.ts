import { Router } from 'express';
import { LedgerUnavailable } from '../../ledger/ledger.ts';
import type { AdminDependencies } from '../dependencies.ts';
import { only } from './api-error.ts';
import { coverageOf } from './coverage.ts';
import { countFailures } from './failure-counts.ts';
import type { RecentAssets } from './recent.ts';
import type { AssetRuns } from './runs.ts';
import { jobView, mappingView, recordView } from './views.ts';

/** What is going on: coverage, uploads, failures, changes; and the configuration behind it. */
export function createOverviewRoutes(dependencies: AdminDependencies, recent: RecentAssets, runs: AssetRuns): Router {
  const { ledger, mappings, readiness, copyUrl, config, version } = dependencies;
  const router = Router();
  const read = (path: string, answer: () => unknown) =>
    router
      .route(path)
      .get(async (_request, response) => void response.json(await answer()))
      .all(only('GET', 'HEAD'));

  const status = async () => ({ version, ...(await readiness()) });
  const jobs = async () => (await dependencies.jobs()).map(jobView);
  const assets = async () => (await recent.list()).map((record) => recordView(record, copyUrl));

  read('/status', status);
  read('/jobs', async () => ({ jobs: await jobs() }));
  read('/tally', async () => ({ mappings: coverageOf(mappings(), await ledger.tally()) }));
  read('/failures', async () => ({ reasons: countFailures(await ledger.tally()) }));
  read('/recent', async () => ({ assets: await assets() }));
  read('/mappings', () => ({ mappings: mappings().map(mappingView) }));
  read('/config', () => ({ config: config() }));
  read('/overview', async () => ({
    status: await status(),
    jobs: await jobs(),
    runs: runs.list(),
    ...(await ledgerParts()),
  }));
  return router;

  /** A dashboard is needed most while the ledger is down: what comes from it is then null, the rest is shown. */
  async function ledgerParts() {
    try {
      const [tallies, changed] = await Promise.all([ledger.tally(), assets()]);
      return { coverage: coverageOf(mappings(), tallies), failures: countFailures(tallies), recent: changed };
    } catch (error) {
      if (!(error instanceof LedgerUnavailable)) throw error;
      return { coverage: null, failures: null, recent: null };
    }
  }
}
