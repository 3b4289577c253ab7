import type { ErrorRequestHandler, RequestHandler } from 'express';
import { LedgerUnavailable } from '../../ledger/ledger.ts';

/** What the caller did wrong or cannot have now. The message says what is wrong and what would be right. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** A stable word for programs. */
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** What an error says, for a log line or a view of a run. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Answers a method that a route does not have. */
export function only(...methods: string[]): RequestHandler {
  return (request, response) => {
    response.set('allow', methods.join(', '));
    throw new ApiError(
      405,
      'method-not-allowed',
      `${request.method} is not possible here: use ${methods.join(' or ')}`,
    );
  };
}

/** The last handler: every error becomes `{ error: { code, message } }`; what we did not expect tells nothing more. */
export function answerErrors(report: (error: unknown) => void): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    const { status, code, message } = asApiError(error, report);
    response.status(status).json({ error: { code, message } });
  };
}

function asApiError(error: unknown, report: (error: unknown) => void): Pick<ApiError, 'status' | 'code' | 'message'> {
  if (error instanceof ApiError) return error;
  if (error instanceof LedgerUnavailable) {
    return { status: 503, code: 'ledger-unavailable', message: `the ledger does not answer: ${error.message}` };
  }
  const { status, type } = error as { status?: unknown; type?: unknown };
  // Errors of Express and its body parser carry a 4xx status; their texts may quote the body, so they are not passed on.
  if (typeof status === 'number' && status >= 400 && status < 500) return clientError(status, String(type));
  report(error);
  return { status: 500, code: 'internal', message: 'something went wrong here; the log has the details' };
}

function clientError(status: number, type: string): Pick<ApiError, 'status' | 'code' | 'message'> {
  if (type === 'entity.too.large') {
    return { status, code: 'body-too-large', message: 'the body is too large: 16 kB at most' };
  }
  if (type === 'entity.parse.failed') {
    return {
      status,
      code: 'bad-json',
      message: 'the body is not JSON: send an object such as {"path": "/images/a.jpg"}',
    };
  }
  return { status, code: 'bad-request', message: `the request could not be read (${type})` };
}
