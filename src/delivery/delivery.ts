import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Asset } from '../asset/asset.ts';
import { type AssetKey, encodeAssetKey } from '../asset/key.ts';
import type { AssetRecord, StoredCopy } from '../asset/record.ts';
import type { Mapping } from '../config/schema.ts';
import type { Origin } from '../origin/origin.ts';
import type { SharedReads } from '../origin/shared-read.ts';
import { publicHeaders } from './answer-headers.ts';
import { decide } from './decide.ts';
import type { Exchange, Outcome } from './exchange.ts';
import { passThrough } from './pass-through.ts';
import { answerProblem, type Problem } from './problem.ts';
import { refuseRequest, targetProblem } from './refuse.ts';
import { type ResolveOptions, resolve } from './resolve.ts';
import { Locations, redirectToStore } from './warm-redirect.ts';
import type { WarmStream } from './warm-stream.ts';

export interface DeliveryDependencies {
  /** Read for each request, so that a reload counts at once. */
  readonly routes: () => ResolveOptions;
  /** From memory, without waiting. */
  readonly peek: (id: string) => AssetRecord | undefined;
  /** From the ledger. Rejects when it is down. */
  readonly lookup: (key: AssetKey) => Promise<AssetRecord | undefined>;
  /**
   * Makes sure that the asset's copy is being made. Resolves when it is stored or this attempt is over, with what the
   * ledger says then. Never rejects. `lost`: the store no longer has the copy that the ledger promises.
   */
  readonly ensure: (asset: Asset, redo?: 'lost') => Promise<AssetRecord | undefined>;
  readonly deliveryUrl: (copy: StoredCopy, options: { transformation?: string; format?: string }) => string;
  readonly originOf: (mapping: Mapping) => Origin;
  readonly reads: SharedReads;
  readonly warmStream: WarmStream;
  readonly observe: (event: DeliveryEvent) => void;
  readonly now: () => number;
}

export interface DeliveryEvent {
  /** The mapping's prefix; absent where none fits. */
  readonly mapping?: string;
  readonly outcome: Outcome;
  readonly request: IncomingMessage;
  /** By `performance.now()`. */
  readonly startedAt: number;
  /** When the answer's head was sent, by the same clock. */
  readonly headAt: number;
  /** Body bytes sent to the client. */
  readonly bytes: number;
  readonly error?: unknown;
}

export type Delivery = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * The way of a request:
 *
 * 1. refuse what is not a plain GET or HEAD (`refuse.ts`);
 * 2. resolve the target to a mapping and an asset (`resolve.ts`, pure);
 * 3. look the asset up in memory; only if nothing is known there, in the ledger;
 * 4. decide (`decide.ts`, pure):
 *    warm → redirect to the store from memory, or stream from it;
 *    missing, tombstoned → say so;
 *    cold → start the migration, a job of its own, and answer this client from the origin meanwhile.
 *
 * A ledger that is down makes every asset that memory does not know cold: the origin answers.
 */
export function createDelivery(dependencies: DeliveryDependencies): Delivery {
  const { peek, lookup, observe } = dependencies;
  const locations = new Locations(dependencies.deliveryUrl);

  return (request, response) => {
    const startedAt = performance.now();
    if (request.method === 'OPTIONS') {
      response.writeHead(204, {
        ...publicHeaders,
        allow: 'GET, HEAD, OPTIONS',
        'access-control-allow-methods': 'GET, HEAD, OPTIONS',
      });
      response.end();
      return;
    }
    const refusal = refuseRequest(request);
    if (refusal !== undefined) return refuse(refusal);
    const resolution = resolve(request.url ?? '', dependencies.routes());
    switch (resolution.kind) {
      case 'bad-target':
        return refuse(targetProblem(resolution.problem));
      case 'unmapped':
        return refuse({ status: 404, detail: 'No mapping covers this path.' }, 'unmapped');
      case 'no-name':
        return refuse({ status: 404, detail: 'The path ends where the asset’s name should begin.' }, 'unmapped');
    }
    const { mapping, asset, transformation } = resolution;
    const id = encodeAssetKey(asset.key);
    const exchange: Exchange = { request, response, mapping, asset, id, transformation, format: undefined, startedAt };
    const remembered = peek(id);
    if (remembered === undefined) {
      lookup(asset.key)
        .catch(() => undefined)
        .then((record) => answer(exchange, record))
        .catch((error) => fail(exchange, error));
      return;
    }
    try {
      answer(exchange, remembered);
    } catch (error) {
      fail(exchange, error);
    }

    function refuse(problem: Problem, outcome: Outcome = 'refused'): void {
      answerProblem(request, response, problem);
      observe({ outcome, request, startedAt, headAt: performance.now(), bytes: 0 });
    }
  };

  function answer(exchange: Exchange, record: AssetRecord | undefined): void {
    const { request, response, mapping } = exchange;
    const decision = decide(record, dependencies.now());
    switch (decision.kind) {
      case 'warm': {
        const location = locations.of(decision.copy, exchange.transformation, exchange.format);
        if (mapping.warm === 'stream') {
          streamWarm(exchange, location, record).catch((error) => fail(exchange, error));
        } else {
          redirectToStore(response, mapping.redirectStatus, location);
          report(exchange, 'warm-redirect');
        }
        break;
      }
      case 'missing': {
        const { reason, retryAt } = decision.record.failure ?? {};
        answerProblem(request, response, {
          status: reason === 'origin-gone' ? 410 : 404,
          detail: 'The origin has no such object.',
          ...(reason === undefined ? {} : { reason }),
          ...(retryAt === undefined ? {} : { until: retryAt }),
        });
        report(exchange, 'missing');
        break;
      }
      case 'tombstoned':
        answerProblem(request, response, { status: 410, detail: 'This asset was deleted on purpose.' });
        report(exchange, 'tombstoned');
        break;
      case 'cold':
        answerCold(exchange, decision.due ? dependencies.ensure(exchange.asset) : undefined).catch((error) =>
          fail(exchange, error),
        );
    }
  }

  function report({ request, mapping, startedAt, headAt, bytes }: Exchange, outcome: Outcome, error?: unknown): void {
    observe({
      mapping: mapping.prefix,
      outcome,
      request,
      startedAt,
      headAt: headAt ?? performance.now(),
      bytes: bytes ?? 0,
      ...(error === undefined ? {} : { error }),
    });
  }

  async function streamWarm(exchange: Exchange, location: string, record: AssetRecord | undefined): Promise<void> {
    const { request, response, asset } = exchange;
    const outcome = await dependencies.warmStream.stream(request, response, location, record?.origin ?? {});
    if (outcome === 'answered') return report(exchange, 'warm-stream');
    if (outcome === 'lost') void dependencies.ensure(asset, 'lost');
    await passColdThrough(exchange);
  }

  async function answerCold(
    exchange: Exchange,
    migration: Promise<AssetRecord | undefined> | undefined,
  ): Promise<void> {
    const { response, mapping, asset } = exchange;
    if (mapping.cold === 'wait' && migration !== undefined) {
      const record = await within(mapping.waitBudget, migration);
      if (record?.copy !== undefined) return answer(exchange, record);
    }
    if (mapping.cold === 'redirect' && /^https?:/.test(asset.originUrl)) {
      response.writeHead(302, {
        ...publicHeaders,
        location: asset.originUrl,
        'cache-control': 'no-store',
        'content-length': '0',
      });
      response.end();
      return report(exchange, 'cold-redirect');
    }
    await passColdThrough(exchange);
  }

  async function passColdThrough(exchange: Exchange): Promise<void> {
    await passThrough(exchange, { origin: dependencies.originOf(exchange.mapping), reads: dependencies.reads });
    report(exchange, 'cold-passthrough');
  }

  /** Only a bug of ours comes here. The client gets an error that says so, or a cut connection; never half an answer. */
  function fail(exchange: Exchange, error: unknown): void {
    const { request, response } = exchange;
    if (response.headersSent) response.destroy();
    else answerProblem(request, response, { status: 500, detail: 'lazyferry failed to answer; this has been logged.' });
    report(exchange, 'failed', error);
  }
}

/** The value, or undefined when it takes longer than `budgetMs`. */
async function within<T>(budgetMs: number, value: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const spent = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, budgetMs, undefined);
  });
  return Promise.race([value, spent]).finally(() => clearTimeout(timer));
}
