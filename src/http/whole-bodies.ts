import type { Dispatcher } from 'undici';

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

/**
 * An undici interceptor for reads: a body of which all `Content-Length` bytes have arrived is whole (RFC 9112 §6.3),
 * whatever becomes of the connection afterwards.
 *
 * undici (8.13) leaves its parser paused where the last byte filled the buffer of a reader that takes its time. When a
 * server that had promised to keep the connection closes it then, it fails the request and throws away what the reader
 * had not taken: a picture without its end, from a server that did nothing wrong.
 */
export function wholeBodies(dispatch: Dispatcher.Dispatch): Dispatcher.Dispatch {
  return (options, handler) => dispatch(options, new WholeBodyHandler(handler));
}

class WholeBodyHandler implements Dispatcher.DispatchHandler {
  readonly #next: Dispatcher.DispatchHandler;
  /** Bytes that have not arrived; undefined where the head does not state the length. */
  #missing: number | undefined;

  constructor(next: Dispatcher.DispatchHandler) {
    this.#next = next;
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#next.onRequestStart?.(controller, context);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Headers, text?: string): void {
    const length = headers['content-length'];
    if (status >= 200 && typeof length === 'string' && /^\d+$/.test(length)) this.#missing = Number(length);
    this.#next.onResponseStart?.(controller, status, headers, text);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#missing !== undefined) this.#missing -= chunk.length;
    this.#next.onResponseData?.(controller, chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController, trailers: Headers): void {
    this.#next.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#missing === 0 && !controller.aborted) this.#next.onResponseEnd?.(controller, {});
    else this.#next.onResponseError?.(controller, error);
  }
}
