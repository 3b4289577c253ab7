import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Asset } from '../asset/asset.ts';
import { encodeAssetKey } from '../asset/key.ts';
import type { AssetRecord } from '../asset/record.ts';
import { publicHeaders } from './answer-headers.ts';
import { Answers } from './answers.ts';
import { decide } from './decide.ts';
import type { DeliveryDependencies } from './dependencies.ts';
import type { Exchange, Outcome } from './exchange.ts';
import { isAdmitted, mayBeStored } from './first-touch.ts';
import { findFormatSource, formatSources } from './format-sources.ts';
import { answerProblem, type Problem } from './problem.ts';
import { methods, refuseRequest, targetProblem } from './refuse.ts';
import { requestIdOf } from './request-id.ts';
import { resolve } from './resolve.ts';
import { isSigned } from './signed-delivery.ts';

export type Delivery = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * The way of a request:
 *
 * 1. refuse what is not a plain GET, HEAD or OPTIONS (`refuse.ts`);
 * 2. resolve the target to a mapping and an asset (`resolve.ts`, pure);
 * 3. look the asset up in memory; only if nothing is known there, in the ledger;
 * 4. decide (`decide.ts`, pure) and answer (`answers.ts`):
 *    warm → redirect to the store from memory, or stream from it;
 *    missing, tombstoned → say so;
 *    cold → start the migration, a job of its own, and answer this client from the origin meanwhile.
 *
 * A ledger that is down makes every asset that memory does not know cold: the origin answers.
 */
export function createDelivery(dependencies: DeliveryDependencies): Delivery {
  const { peek, lookup, observe } = dependencies;
  const answers = new Answers(dependencies);

  return (request, response) => {
    const startedAt = performance.now();
    const requestId = requestIdOf(request);
    const refusal = refuseRequest(request);
    if (refusal !== undefined) return refuse(refusal);
    if (request.method === 'OPTIONS') {
      response.writeHead(204, {
        ...publicHeaders,
        'x-request-id': requestId,
        allow: methods,
        'access-control-allow-methods': methods,
      });
      response.end();
      return observe({ outcome: 'options', request, requestId, startedAt, headAt: performance.now(), bytes: 0 });
    }
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
    const signing = mapping.signedDelivery;
    const unsigned = signing !== null && !isSigned(resolution.query, asset.key, signing.keys, dependencies.now());
    const exchange: Exchange = {
      request,
      response,
      mapping,
      asset,
      id,
      transformation,
      format: undefined,
      unsigned,
      requestId,
      startedAt,
    };
    const remembered = peek(id);
    if (remembered !== undefined && (remembered.copy !== undefined || !resolution.convertible)) {
      answers.answer(exchange, remembered);
      return;
    }
    const answered = resolution.convertible ? answerConverted(exchange) : answerKnown(exchange);
    answered.catch((error) => answers.fail(exchange, error));

    function refuse(problem: Problem, outcome: Outcome = 'refused'): void {
      response.setHeader('x-request-id', requestId);
      answerProblem(request, response, problem);
      observe({ outcome, request, requestId, startedAt, headAt: performance.now(), bytes: 0 });
    }
  };

  async function answerKnown(exchange: Exchange): Promise<void> {
    answers.answer(exchange, await known(exchange.asset));
  }

  /** The URL's extension may ask for a conversion of an object that has another one at the origin. */
  async function answerConverted(exchange: Exchange): Promise<void> {
    const { mapping, asset } = exchange;
    const record = await known(asset);
    if (record?.copy !== undefined) return answers.answer(exchange, record);
    const decision = decide(record, dependencies.now());
    const origin = dependencies.originOf(mapping);
    // Who may not start an upload makes us ask the origin for no more than the one object that the URL names; and where
    // it had none of them a while ago, it is not asked again.
    const mayAsk = decision.kind === 'cold' && decision.due && !exchange.unsigned;
    const source = await findFormatSource([asset, ...formatSources(mapping, asset)], {
      lookup: known,
      exists: async (candidate) => {
        if (!mayAsk || !mayBeStored(mapping, candidate) || !isAdmitted(exchange, dependencies.firstTouch)) return false;
        const head = await origin.describe({ url: candidate.originUrl }).catch(() => undefined);
        return head?.status === 200;
      },
    });
    if (source === undefined || source === asset) return answers.answer(exchange, record);
    const format = /\.([A-Za-z0-9]+)$/.exec(asset.key.path)?.[1]?.toLowerCase();
    answers.answer({ ...exchange, asset: source, id: encodeAssetKey(source.key), format }, await known(source));
  }

  function known(asset: Asset): Promise<AssetRecord | undefined> {
    const remembered = peek(encodeAssetKey(asset.key));
    return remembered === undefined ? lookup(asset.key).catch(() => undefined) : Promise.resolve(remembered);
  }
}
