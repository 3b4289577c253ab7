import type { AssetRecord, StoredCopy } from '../asset/record.ts';
import { cacheStatus, publicHeaders } from './answer-headers.ts';
import { decide, revalidationDue } from './decide.ts';
import type { DeliveryDependencies } from './dependencies.ts';
import { DirectReads } from './direct-reads.ts';
import type { Exchange, Outcome } from './exchange.ts';
import { isAdmitted, mayBeStored } from './first-touch.ts';
import { passThrough } from './pass-through.ts';
import { answerPlaceholder, wantsPicture } from './placeholder.ts';
import { answerProblem } from './problem.ts';
import { keptByNobody } from './refuse.ts';
import { redirectToStore, WarmAnswers } from './warm-redirect.ts';

/** Answers requests for assets, by what the ledger knows of them. */
export class Answers {
  readonly #dependencies: DeliveryDependencies;
  readonly #warm: WarmAnswers;
  readonly #directReads = new DirectReads();

  constructor(dependencies: DeliveryDependencies) {
    this.#dependencies = dependencies;
    this.#warm = new WarmAnswers(dependencies.deliveryUrl);
  }

  /** `record` undefined: the ledger knows nothing of the asset, or is down. Never throws. */
  answer(exchange: Exchange, record: AssetRecord | undefined): void {
    try {
      const decision = decide(record, this.#dependencies.now());
      // Warm answers send it with their other headers, all at once.
      if (decision.kind !== 'warm') exchange.response.setHeader('x-request-id', exchange.requestId);
      switch (decision.kind) {
        case 'warm':
          this.#answerWarm(exchange, decision.copy, record);
          break;
        case 'missing':
          this.#answerMissing(exchange, decision.record);
          break;
        case 'tombstoned':
          this.#answerTombstoned(exchange);
          break;
        case 'cold':
          this.#answerCold(exchange, decision.due).catch((error) => this.fail(exchange, error));
      }
    } catch (error) {
      this.fail(exchange, error);
    }
  }

  /** Only a bug of ours comes here. The client gets an error that says so, or a cut connection; never half an answer. */
  fail(exchange: Exchange, error: unknown): void {
    const { request, response } = exchange;
    if (response.headersSent) response.destroy();
    else {
      response.setHeader('x-request-id', exchange.requestId);
      const detail = 'lazyferry failed to answer; this has been logged.';
      answerProblem(request, response, { status: 500, detail, headers: keptByNobody });
    }
    this.#report(exchange, 'failed', error);
  }

  #answerWarm(exchange: Exchange, copy: StoredCopy, record: AssetRecord | undefined): void {
    const { mapping } = exchange;
    if (record !== undefined && revalidationDue(record, mapping.drift, this.#dependencies.now())) {
      void this.#dependencies.ensure(exchange.asset, 'revalidate');
    }
    const answer = this.#warm.of(copy, exchange);
    if (mapping.warm === 'stream') {
      this.#streamWarm(exchange, answer.location, copy, record).catch((error) => this.fail(exchange, error));
      return;
    }
    redirectToStore(exchange, answer);
    this.#dependencies.copyCheck.redirected(exchange, copy);
    this.#report(exchange, 'warm-redirect');
  }

  async #streamWarm(
    exchange: Exchange,
    location: string,
    copy: StoredCopy,
    record: AssetRecord | undefined,
  ): Promise<void> {
    exchange.response.setHeader('x-request-id', exchange.requestId);
    const original = exchange.transformation === '' && exchange.format === undefined;
    const outcome = await this.#dependencies.warmStream.stream(
      exchange,
      location,
      original ? record?.origin : undefined,
    );
    if (outcome === 'answered') return this.#report(exchange, 'warm-stream');
    if (exchange.response.destroyed) return;
    // A form that the client chose may be one that no store has: it tells nothing of the copy, and starts no upload.
    const chosen = exchange.format !== undefined || exchange.transformation !== (exchange.mapping.transformation ?? '');
    const lost = outcome === 'lost' && !chosen;
    await this.#passThrough(exchange, lost ? this.#dependencies.reportLost(exchange.asset, copy) : undefined);
  }

  #answerTombstoned(exchange: Exchange): void {
    answerProblem(exchange.request, exchange.response, { status: 410, detail: 'This asset was deleted on purpose.' });
    this.#report(exchange, 'tombstoned');
  }

  #answerMissing(exchange: Exchange, record: AssetRecord): void {
    const { reason, retryAt } = record.failure ?? {};
    const status = reason === 'origin-gone' ? 410 : 404;
    const placeholder = this.#dependencies.placeholderOf(exchange.mapping);
    if (placeholder !== undefined && wantsPicture(exchange)) answerPlaceholder(exchange, status, placeholder);
    else {
      answerProblem(exchange.request, exchange.response, {
        status,
        detail: 'The origin has no such object.',
        ...(reason === undefined ? {} : { reason }),
        ...(retryAt === undefined ? {} : { until: retryAt }),
        headers: { 'cache-control': exchange.mapping.cache.error },
      });
    }
    this.#report(exchange, 'missing');
  }

  async #answerCold(exchange: Exchange, due: boolean): Promise<void> {
    const { response, mapping, asset, unsigned = false } = exchange;
    if (unsigned && mapping.signedDelivery?.unsigned === 'refuse') return this.#refuseUnsigned(exchange);
    const starts =
      due && !unsigned && mayBeStored(mapping, asset) && isAdmitted(exchange, this.#dependencies.firstTouch);
    const migration = starts ? this.#dependencies.ensure(asset) : undefined;
    if (mapping.cold === 'wait') {
      const record = await this.#waitForCopy(exchange, migration);
      if (record?.copy !== undefined) return this.answer(exchange, record);
    }
    if (mapping.cold === 'redirect' && /^https?:/.test(asset.originUrl)) {
      response.writeHead(302, {
        ...publicHeaders,
        location: asset.originUrl,
        'cache-control': 'no-store',
        'cache-status': cacheStatus({}),
        'content-length': '0',
      });
      response.end();
      return this.#report(exchange, 'cold-redirect');
    }
    await this.#passThrough(exchange, migration);
  }

  #refuseUnsigned(exchange: Exchange): void {
    answerProblem(exchange.request, exchange.response, {
      status: 403,
      detail: 'The URL is not signed, or no longer: only a signed one reaches what is not stored yet.',
      // A cache that does not count the query would answer the signed URL with it.
      headers: { 'cache-control': 'no-store' },
    });
    this.#report(exchange, 'refused');
  }

  /** What the ledger says once the copy is there, or when the client has waited long enough. */
  async #waitForCopy(
    exchange: Exchange,
    migration: Promise<AssetRecord | undefined> | undefined,
  ): Promise<AssetRecord | undefined> {
    const { lookup, copyWatch } = this.#dependencies;
    const deadline = performance.now() + exchange.mapping.waitBudget;
    const left = () => Math.max(0, deadline - performance.now());
    let record = migration === undefined ? undefined : await within(left(), migration);
    // Another process may be uploading it: its settlement is news.
    while (record?.copy === undefined && left() > 0 && !exchange.response.destroyed) {
      const news = copyWatch.news(exchange.id, left());
      record = await lookup(exchange.asset.key).catch(() => undefined);
      if (record?.state !== 'claimed') return record;
      await news;
    }
    return record;
  }

  async #passThrough(exchange: Exchange, job: Promise<unknown> | undefined): Promise<void> {
    const { originOf, reads, cut } = this.#dependencies;
    const origin = originOf(exchange.mapping);
    await passThrough(exchange, {
      origin,
      reads,
      directReads: this.#directReads,
      cut,
      ...(job === undefined ? {} : { job }),
    });
    this.#report(exchange, 'cold-passthrough');
  }

  #report(
    { request, requestId, mapping, startedAt, headAt, bytes }: Exchange,
    outcome: Outcome,
    error?: unknown,
  ): void {
    this.#dependencies.observe({
      mapping: mapping.prefix,
      outcome,
      request,
      requestId,
      startedAt,
      headAt: headAt ?? performance.now(),
      bytes: bytes ?? 0,
      ...(error === undefined ? {} : { error }),
    });
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
