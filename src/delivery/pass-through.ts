import { type IncomingMessage, STATUS_CODES } from 'node:http';
import fresh from 'fresh';
import { AssetFailure } from '../asset/failure.ts';
import { dispositionFirst } from '../http/headers.ts';
import { type ByteRange, byteRangeOf, bytesOf, rangeField } from '../http/range.ts';
import type { Origin, OriginBody, OriginRequest, OriginResponse } from '../origin/origin.ts';
import type { SharedRead, SharedReads } from '../origin/shared-read.ts';
import { withholdEnd } from '../origin/withhold-end.ts';
import { coldHeaders, isUnproven } from './answer-headers.ts';
import { type CutAnswer, sendBody } from './cut-answer.ts';
import type { DirectReads } from './direct-reads.ts';
import type { Exchange } from './exchange.ts';
import { answerProblem } from './problem.ts';
import { keptByNobody } from './refuse.ts';

export interface PassThrough {
  readonly origin: Origin;
  readonly reads: SharedReads;
  readonly directReads: DirectReads;
  readonly cut: CutAnswer;
  /** The job that makes the copy, where this request began or joined one. Never rejects. */
  readonly job?: Promise<unknown>;
}

/** Conditional headers that the origin may judge itself when we hand it the client's range. */
const conditionNames = ['if-range', 'if-none-match', 'if-modified-since'] as const;

/**
 * Answers from the origin while the copy is made. Whole objects are read once per process and shared with everybody
 * else who asks for them meanwhile; a range is answered at once, from what has arrived or by a ranged request.
 */
export async function passThrough(exchange: Exchange, source: PassThrough): Promise<void> {
  try {
    const range = byteRangeOf(exchange.request);
    if (exchange.request.method === 'HEAD') await answerHead(exchange, source);
    else if (range !== undefined) await answerRange(exchange, source, range);
    else await answerWhole(exchange, source);
  } catch (error) {
    answerFailure(exchange, error);
  }
}

async function answerHead(exchange: Exchange, { origin, reads }: PassThrough): Promise<void> {
  const shared = reads.current(exchange.id);
  // Held, so that the answer still comes when the client that started the read leaves.
  const release = shared?.hold();
  try {
    const head = await (shared?.response ?? origin.describe(directRequest(exchange)));
    if (notModified(exchange, head)) return;
    writeHead(exchange, head);
    exchange.response.end();
  } finally {
    release?.();
  }
}

async function answerWhole(exchange: Exchange, source: PassThrough): Promise<void> {
  const { origin, reads } = source;
  const read = reads.join(exchange.id, (signal) => origin.open({ url: exchange.asset.originUrl, signal }));
  const release = read.hold();
  try {
    const head = await read.response;
    if (source.job !== undefined && head.status === 200 && head.length !== undefined)
      reads.keep(read, head.length, source.job);
    if (exchange.response.destroyed) return;
    if (notModified(exchange, head)) return;
    const body = read.attach();
    if (body === undefined) {
      await answerDirectly(exchange, source);
      return;
    }
    writeHead(exchange, head);
    await send(exchange, body, head.length, source.cut);
  } finally {
    release();
  }
}

async function answerRange(exchange: Exchange, source: PassThrough, range: ByteRange): Promise<void> {
  const shared = source.reads.current(exchange.id);
  if (shared !== undefined && (await answerRangeFrom(exchange, range, shared, source.cut))) return;
  await answerDirectly(exchange, source, range);
}

/** True when the range lies in what has arrived already, and has been answered from there. */
async function answerRangeFrom(
  exchange: Exchange,
  range: ByteRange,
  shared: SharedRead,
  cut: CutAnswer,
): Promise<boolean> {
  const { headers } = exchange.request;
  // Whether an If-Range still holds is the origin's to say: it may know a newer version than the one being read.
  if (headers['if-range'] !== undefined || !shared.whole) return false;
  const release = shared.hold();
  try {
    const head = await shared.response;
    const size = shared.received;
    const part = bytesOf(range, size);
    if (head.status !== 200 || part === undefined) return false;
    if (notModified(exchange, head)) return true;
    const body = shared.attach(part.start, part.end);
    if (body === undefined) return false;
    const length = part.end - part.start;
    const contentRange = `bytes ${part.start}-${part.end - 1}/${size}`;
    writeHead(exchange, {
      ...head,
      status: 206,
      length,
      headers: { ...head.headers, 'content-range': contentRange, 'accept-ranges': 'bytes' },
    });
    await send(exchange, body, length, cut);
    return true;
  } finally {
    release();
  }
}

/** A request of this client's own to the origin. It ends when the client goes. */
async function answerDirectly(exchange: Exchange, source: PassThrough, range?: ByteRange): Promise<void> {
  const { origin, directReads, cut } = source;
  const gone = new AbortController();
  const onClose = () => gone.abort();
  exchange.response.once('close', onClose);
  let giveTurnBack: (() => void) | undefined;
  let body: OriginBody | undefined;
  try {
    giveTurnBack = await directReads.turn(exchange.mapping, gone.signal);
    body = await origin.open({ ...directRequest(exchange, range), signal: gone.signal });
    writeHead(exchange, body);
    await send(exchange, withholdEnd(body.body, body.length), body.length, cut);
  } finally {
    exchange.response.off('close', onClose);
    body?.body.destroy();
    giveTurnBack?.();
  }
}

function directRequest(exchange: Exchange, range?: ByteRange): OriginRequest {
  const { headers } = exchange.request;
  const conditions = Object.fromEntries(
    conditionNames.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' && (range !== undefined || name !== 'if-range') ? [[name, value]] : [];
    }),
  );
  const url = exchange.asset.originUrl;
  return { url, conditions, ...(range === undefined ? {} : { range: rangeField(range) }) };
}

/** Answers 304 where the client has this version (RFC 9110 §13.2.2). */
function notModified(exchange: Exchange, head: OriginResponse): boolean {
  const { etag, lastModified } = head.facts;
  if (head.status !== 200 || !fresh(exchange.request.headers, { etag, 'last-modified': lastModified })) return false;
  const { length: _, ...rest } = head;
  writeHead(exchange, { ...rest, status: 304 });
  exchange.response.end();
  return true;
}

function writeHead(exchange: Exchange, head: OriginResponse): void {
  exchange.headAt = performance.now();
  exchange.response.setHeader('server-timing', `origin;dur=${(exchange.headAt - exchange.startedAt).toFixed(1)}`);
  // A body that may have been cut must not get an end of ours that says otherwise: it is given on as it comes.
  if (isUnproven(head)) exchange.response.useChunkedEncodingByDefault = false;
  const headers = {
    ...coldHeaders(head, exchange.mapping, exchange.id),
    ...(head.status >= 400 && isPart(exchange.request) ? keptByNobody : {}),
  };
  exchange.response.writeHead(head.status, STATUS_CODES[head.status] ?? '', dispositionFirst(headers));
}

/** The origin was asked for a part, or on a condition: caches do not count what this client asked besides the URL. */
function isPart({ headers }: IncomingMessage): boolean {
  return ['range', ...conditionNames].some((name) => headers[name] !== undefined);
}

async function send(
  exchange: Exchange,
  body: AsyncIterable<Buffer>,
  length: number | undefined,
  cut: CutAnswer,
): Promise<void> {
  if (await sendBody(exchange, body, cut)) exchange.bytes = length ?? 0;
}

function answerFailure({ request, response }: Exchange, error: unknown): void {
  if (response.destroyed) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (!(error instanceof AssetFailure)) throw error;
  const status = error.reason === 'origin-timeout' ? 504 : 502;
  answerProblem(request, response, {
    status,
    reason: error.reason,
    detail: 'The origin did not give an answer; it is asked again by the next request.',
    ...(isPart(request) ? { headers: keptByNobody } : {}),
  });
}
