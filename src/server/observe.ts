import type { Metrics, RequestOutcome } from '../admin/metrics.ts';
import { AssetFailure } from '../asset/failure.ts';
import type { CutAnswer } from '../delivery/cut-answer.ts';
import type { DeliveryEvent } from '../delivery/dependencies.ts';
import type { Outcome } from '../delivery/exchange.ts';
import type { LostCopyReport } from '../migration/lost-copies.ts';
import type { MigrationEvent } from '../migration/migration.ts';
import type { Log } from './log.ts';

const requestOutcomes: Readonly<Record<Outcome, RequestOutcome>> = {
  'warm-redirect': 'warm',
  'warm-stream': 'warm',
  'cold-passthrough': 'cold',
  'cold-redirect': 'cold',
  missing: 'missing',
  tombstoned: 'tombstoned',
  unmapped: 'unmapped',
  options: 'options',
  refused: 'refused',
  failed: 'error',
};

/** Turns what delivery did into metrics, and what must not happen into log lines. */
export function observeDelivery(metrics: Metrics, log: Log): (event: DeliveryEvent) => void {
  return ({ mapping, outcome, request, requestId, startedAt, headAt, bytes, error }) => {
    const counted = requestOutcomes[outcome];
    metrics.request(mapping, counted, bytes);
    metrics.firstByte(counted, (headAt - startedAt) / 1000);
    if (error !== undefined)
      log.error(
        { event: 'delivery-failed', requestId, target: request.url, error: describe(error) },
        'delivery failed',
      );
  };
}

/** A client that was left with half an answer: counted, and logged with the reason. */
export function observeCutAnswers(metrics: Metrics, log: Log): CutAnswer {
  return ({ mapping, request, requestId }, error) => {
    metrics.cut(mapping.prefix);
    log.warn({ event: 'answer-cut', requestId, target: request.url, error: describe(error) }, 'an answer broke off');
  };
}

/** A copy that the store's delivery does not have, and what the store itself says of it. */
export function observeLostCopies(log: Log): (report: LostCopyReport) => void {
  const messages: Readonly<Record<LostCopyReport['verdict'], string>> = {
    gone: 'the store no longer has a copy: it is made again',
    there: 'the store has a copy that it does not deliver at present',
    unknown: 'the store does not deliver a copy, and does not say whether it has it',
  };
  return ({ asset, copy, verdict }) =>
    log.warn({ event: 'copy-not-delivered', asset: asset.key, publicId: copy.publicId, verdict }, messages[verdict]);
}

/** Turns what the migration did into metrics and log lines. */
export function observeMigration(metrics: Metrics, log: Log): (event: MigrationEvent) => void {
  return (event) => {
    switch (event.kind) {
      case 'shared':
        metrics.spared('flight');
        break;
      case 'lost':
        metrics.claim('lost');
        log.warn({ event: 'claim-lost', asset: event.claim.key }, 'another process took the claim over');
        break;
      case 'mismatch':
        log.info({ event: 'type-mismatch', asset: event.asset.key, ...event.types }, 'types that do not agree');
        break;
      case 'broken':
        log.error(
          { event: 'migration-failed', asset: event.asset.key, error: describe(event.error) },
          'migration failed',
        );
        break;
      case 'breaker':
        observeBreaker(event, log);
        break;
      case 'paused':
        log.warn(
          { event: 'uploads-paused', milliseconds: event.milliseconds },
          'the store limits the rate of uploads: the fleet pauses them',
        );
        break;
      case 'ended':
        observeEnd(event, metrics, log);
    }
  };
}

function observeBreaker(
  { target, open, reason, detail }: Extract<MigrationEvent, { kind: 'breaker' }>,
  log: Log,
): void {
  if (open)
    log.error(
      { event: 'breaker-open', target, reason, detail },
      `no upload begins until ${target} is well: one at a time tries`,
    );
  else log.info({ event: 'breaker-closed', target }, `${target} is well again: uploads go on`);
}

function observeEnd(event: Extract<MigrationEvent, { kind: 'ended' }>, metrics: Metrics, log: Log): void {
  const { asset, outcome, milliseconds } = event;
  const mapping = asset.key.mapping;
  const seconds = milliseconds / 1000;
  switch (outcome.kind) {
    case 'stored': {
      const { copy } = outcome.record;
      metrics.claim('won');
      metrics.upload(mapping, { outcome: 'stored', seconds, bytes: copy?.bytes });
      log.info(
        {
          event: 'stored',
          asset: asset.key,
          publicId: copy?.publicId,
          bytes: copy?.bytes,
          proof: copy?.proof,
          milliseconds,
        },
        'stored',
      );
      break;
    }
    case 'failed': {
      const { reason, record } = outcome;
      metrics.claim('won');
      metrics.upload(mapping, { outcome: record.state === 'missing' ? 'missing' : 'failed', reason, seconds });
      log.warn(
        {
          event: 'not-stored',
          asset: asset.key,
          reason,
          detail: record.failure?.detail,
          retryAt: record.failure?.retryAt,
        },
        'not stored',
      );
      break;
    }
    case 'held':
      metrics.claim('held');
      metrics.spared('claim');
      break;
    case 'settled':
      metrics.claim('settled');
      break;
    case 'postponed':
      if (outcome.why === 'ledger-down') metrics.claim('unavailable');
      if (outcome.why === 'superseded') metrics.upload(mapping, { outcome: 'stale', seconds });
      log.debug({ event: 'postponed', asset: asset.key, why: outcome.why }, 'postponed');
  }
}

/** What an error says, for a log line: its reason, and the stack only where it is a bug. */
function describe(error: unknown): Record<string, unknown> {
  if (error instanceof AssetFailure) return { reason: error.reason, message: error.message, hint: error.hint };
  if (error instanceof Error) return { message: error.message, stack: error.stack };
  return { message: String(error) };
}
