import express, { type Request, type Response, Router } from 'express';
import { accessOf, addressOf, requireRole } from '../access/access.ts';
import type { AuditEntry } from '../audit.ts';
import type { AdminDependencies } from '../dependencies.ts';
import { ApiError, messageOf, only } from './api-error.ts';
import { ledgerFilter } from './assets.ts';
import { countMatches } from './count-matches.ts';
import { parseInput, purgeBody, retryBody, tombstoneBody } from './input.ts';
import { createPurge } from './purge.ts';
import { type Retry, retryProblem } from './retry.ts';
import type { AssetRuns } from './runs.ts';
import { findTarget } from './target.ts';
import { deliveryPathOf, recordView } from './views.ts';

/** Changes need the role operate, and each leaves a line in the audit log. */
export function createChangeRoutes(dependencies: AdminDependencies, retry: Retry, runs: AssetRuns): Router {
  const { ledger, mappings, copyUrl } = dependencies;
  const router = Router();
  const purge = createPurge(dependencies, retry);
  const note = (request: Request, response: Response, entry: Omit<AuditEntry, 'by' | 'address'>) => {
    const access = accessOf(response);
    const by = access === undefined ? 'nobody' : (`${access.role} by ${access.via}` as const);
    dependencies.audit({ ...entry, by, address: addressOf(request) });
  };
  /** Also a change that ended in an error is written down: it may have been made, and only the answer been lost. */
  const noted = async <Result>(
    request: Request,
    response: Response,
    entry: Pick<AuditEntry, 'action' | 'target'>,
    work: () => Promise<Result>,
  ): Promise<Result> => {
    try {
      const result = await work();
      note(request, response, { ...entry, outcome: result === 'failed' ? 'failed' : 'done' });
      return result;
    } catch (error) {
      note(request, response, { ...entry, outcome: 'failed', detail: messageOf(error) });
      throw error;
    }
  };
  const change = (path: string, handler: (request: Request, response: Response) => Promise<void>) =>
    router
      .route(path)
      .post(requireRole('operate'), express.json({ limit: '16kb' }), handler)
      .all(only('POST'));

  change('/retry', async (request, response) => {
    const body = parseInput(retryBody, request.body);
    if (body.filter !== undefined) {
      const filter = { states: ['failed', 'missing'] as const, ...ledgerFilter(body.filter, mappings()) };
      const run = runs.start({
        action: 'retry',
        filter,
        each: async ({ key }) => (await retry.now(key, body.redo)).kind === 'stored',
      });
      note(request, response, { action: 'retry', target: body.filter, outcome: 'started' });
      return void response.status(202).json({ run: run.view() });
    }
    const { key, record } = await findTarget(dependencies, body);
    const problem = retryProblem(record, body.redo);
    if (problem !== undefined) throw problem;
    note(request, response, { action: 'retry', target: deliveryPathOf(key), outcome: 'started' });
    if (!body.wait) {
      retry.inBackground(key, body.redo);
      return void response.status(202).json({ path: deliveryPathOf(key), started: true });
    }
    const outcome = await retry.now(key, body.redo);
    response.json({
      path: deliveryPathOf(key),
      outcome: outcome.kind,
      record: recordView(outcome.record, copyUrl),
    });
  });

  change('/purge', async (request, response) => {
    const body = parseInput(purgeBody, request.body);
    if (body.filter === undefined) {
      const { key, record } = await findTarget(dependencies, body);
      if (record === undefined) throw unknown(deliveryPathOf(key));
      if (body.dryRun) return void response.json({ count: 1, complete: true });
      const entry = { action: 'purge', target: deliveryPathOf(key) } as const;
      const outcome = await noted(request, response, entry, () => purge(record));
      return void response.json({ path: deliveryPathOf(key), purged: outcome !== 'failed', outcome });
    }
    const filter = ledgerFilter(body.filter, mappings());
    if (body.dryRun) return void response.json(await countMatches(ledger, filter));
    const run = runs.start({ action: 'purge', filter, each: async (record) => (await purge(record)) !== 'failed' });
    note(request, response, { action: 'purge', target: body.filter, outcome: 'started' });
    response.status(202).json({ run: run.view() });
  });

  change('/tombstone', async (request, response) => {
    const { key, originUrl } = await findTarget(dependencies, parseInput(tombstoneBody, request.body));
    const entry = { action: 'tombstone', target: deliveryPathOf(key) } as const;
    await noted(request, response, entry, () => ledger.tombstone(key, originUrl));
    response.json({ path: deliveryPathOf(key), tombstoned: true });
  });

  router
    .route('/runs')
    .get((_request, response) => void response.json({ runs: runs.list() }))
    .all(only('GET', 'HEAD'));
  change('/runs/:id/stop', async (request, response) => {
    const run = runs.stop(String(request.params.id));
    if (run === undefined) throw new ApiError(404, 'no-such-run', 'there is no such run: GET /api/runs lists them');
    note(request, response, { action: 'stop-run', target: run.id, outcome: 'done' });
    response.json({ run: run.view() });
  });
  return router;
}

function unknown(path: string): ApiError {
  return new ApiError(404, 'unknown-asset', `the ledger has no record of ${path}: there is nothing to purge`);
}
