import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Reason } from '../asset/reason.ts';
import { cacheStatus, errorCacheControl, publicHeaders } from './answer-headers.ts';

export interface Problem {
  readonly status: number;
  /** One sentence: what is wrong and, where it can be said, what would be right. Nothing of the client's is echoed. */
  readonly detail: string;
  readonly reason?: Reason;
  /** Milliseconds since the epoch: nothing changes before. */
  readonly until?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers with an error of our own: problem details (RFC 9457) for those who accept JSON, else one line of text. */
export function answerProblem(request: IncomingMessage, response: ServerResponse, problem: Problem): void {
  const json = /\bjson\b/.test(request.headers.accept ?? '');
  const until = problem.until === undefined ? undefined : new Date(problem.until).toISOString();
  const title = STATUS_CODES[problem.status] ?? 'Error';
  const body = json
    ? `${JSON.stringify({ type: 'about:blank', title, status: problem.status, detail: problem.detail, reason: problem.reason, until })}\n`
    : `${problem.status} ${title}: ${problem.detail}${until === undefined ? '' : ` Until ${until}.`}\n`;
  response.writeHead(problem.status, {
    ...publicHeaders,
    'content-type': json ? 'application/problem+json' : 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': errorCacheControl,
    'cache-status': cacheStatus({ detail: problem.reason ?? `status-${problem.status}` }),
    vary: 'Accept',
    ...(problem.reason === undefined ? {} : { 'x-lazyferry-reason': problem.reason }),
    ...problem.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
