import { pipeline } from 'node:stream/promises';
import type { Exchange } from './exchange.ts';

/** Hears of answers that broke off after their head because of us or whom we read from, never because the client left. */
export type CutAnswer = (exchange: Exchange, error: Error) => void;

/**
 * Sends a body behind its head. Where it fails, the response is destroyed: it must not look complete (invariant 9).
 * A client that leaves is no error. Never rejects.
 *
 * @returns whether the client got it all
 */
export async function sendBody(exchange: Exchange, body: AsyncIterable<Buffer>, cut: CutAnswer): Promise<boolean> {
  try {
    await pipeline(body, exchange.response);
    return true;
  } catch (error) {
    exchange.response.destroy();
    // Two ends of the pipeline that fail at once come as one error.
    const errors: readonly Error[] = error instanceof AggregateError ? error.errors : [error];
    const ours = errors.find((each) => !isOfTheClient(each));
    if (ours !== undefined) cut(exchange, ours);
    return false;
  }
}

/** The client closed its connection, or what we read for it was given up for that reason. */
function isOfTheClient(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ERR_STREAM_PREMATURE_CLOSE' || error.name === 'AbortError';
}
