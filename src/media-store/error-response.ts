import type { ErrorRequestHandler, Request, Response } from 'express';
import { StoreError } from './store-error.ts';

export interface ErrorLog {
  error(details: object, message: string): void;
}

/** Cloudinary's error envelope, with the text in `X-Cld-Error` too (contract §5.2). */
export function answerApiErrors(log: ErrorLog): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const failure = asStoreError(error, log);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    // The rest of the request's body is not wanted: the connection ends with this answer.
    if (!request.complete) {
      response.set('connection', 'close');
      drain(request, response);
    }
    response
      .status(failure.status)
      .set(failure.headers)
      .set('x-cld-error', headerText(failure.message))
      .json({ error: { message: failure.message } });
  };
}

/** What the client is told: an unexpected error is logged, and its text stays here. */
export function asStoreError(error: unknown, log: ErrorLog): StoreError {
  if (error instanceof StoreError) return error;
  // Express refuses undecodable paths and the like with a status of its own.
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  if (status >= 400 && status < 500) return new StoreError(status, 'Bad request');
  log.error({ err: error }, 'the embedded store failed to answer a request');
  return new StoreError(500, 'Internal server error');
}

/** A header holds printable ASCII: everything else is percent-encoded, and long texts are cut. */
export function headerText(text: string): string {
  return text
    .slice(0, 500)
    .toWellFormed()
    .replace(/[^\x20-\x7e]/gu, encodeURIComponent);
}

const DRAIN_MILLISECONDS = 5_000;

/**
 * Reads and drops what the client still sends: one that is answered in the middle of its body, and then reset, would
 * not see the answer. It gets a moment, not for ever.
 */
function drain(request: Request, response: Response): void {
  request.resume();
  const timer = setTimeout(() => request.destroy(), DRAIN_MILLISECONDS);
  timer.unref();
  request.once('close', () => clearTimeout(timer));
  response.once('close', () => clearTimeout(timer));
}
