import type { RequestHandler } from 'express';

/** What goes wrong with the requests it matches. */
export interface Fault {
  /** Default: any. */
  readonly method?: string;
  /** The path holds this text. Default: any path. */
  readonly path?: string;
  /** How many requests it strikes; then it is gone. Default: all. */
  readonly times?: number;
  /** Milliseconds before anything else happens. */
  readonly delay?: number;
  /** Answer this status instead of the real answer. */
  readonly status?: number;
  /** Body of that answer, sent as it is. Default: Cloudinary's error envelope. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Reset the connection: `before` the request is worked on, or `after`, so that what it did stands and the answer is
   * lost.
   */
  readonly reset?: 'before' | 'after';
}

/** Switches for tests: errors, delays and resets that the real service shows now and then. None unless set. */
export class Faults {
  #active: { readonly fault: Fault; left: number }[] = [];

  add(fault: Fault): void {
    this.#active.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY });
  }

  list(): readonly Fault[] {
    return this.#active.map(({ fault }) => fault);
  }

  clear(): void {
    this.#active = [];
  }

  /** The first fault that matches, counted. */
  #strike(method: string, path: string): Fault | undefined {
    const struck = this.#active.find(
      ({ fault }) => (fault.method ?? method) === method && path.includes(fault.path ?? ''),
    );
    if (struck === undefined) return undefined;
    struck.left -= 1;
    if (struck.left <= 0) this.#active = this.#active.filter((other) => other !== struck);
    return struck.fault;
  }

  readonly middleware: RequestHandler = (request, response, next) => {
    const fault = this.#strike(request.method, request.originalUrl);
    if (fault === undefined) return next();
    const act = (): void => {
      if (fault.reset === 'before') {
        request.socket.resetAndDestroy();
      } else if (fault.reset === 'after') {
        // The headers go out with the first byte of the body: here they never do.
        response.write = () => true;
        response.end = () => {
          request.socket.resetAndDestroy();
          return response;
        };
        next();
      } else if (fault.status !== undefined) {
        request.resume();
        const body = fault.body ?? JSON.stringify({ error: { message: `Injected fault ${fault.status}` } });
        const type = fault.body === undefined ? 'application/json' : 'text/html';
        response.writeHead(fault.status, { 'content-type': type, ...fault.headers });
        response.end(body);
      } else {
        next();
      }
    };
    if (fault.delay === undefined) act();
    else setTimeout(act, fault.delay).unref();
  };
}
