import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { ChaosFile } from './chaos-file.ts';

/** What the chaos origin does with a request instead of serving the file. `after` counts body bytes. */
export type Behaviour =
  /** Answers with this status, also to HEAD. */
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Headers; readonly body?: string }
  /** Refuses HEAD with this status; GET is served. */
  | { readonly kind: 'no-head'; readonly status: number }
  /** Takes the request and never answers. */
  | { readonly kind: 'silent' }
  /** Sends the head and `after` bytes, then nothing more, with the connection open. */
  | { readonly kind: 'stall'; readonly after: number }
  /** Sends `bytes` at a time, one portion each `everyMs`. */
  | { readonly kind: 'drip'; readonly bytes: number; readonly everyMs: number }
  /** Ends the connection in good order after `after` bytes of a body that was to be longer. */
  | { readonly kind: 'truncate'; readonly after: number; readonly framing: 'length' | 'chunked' | 'close' }
  /** Resets the connection after `after` bytes; before the head where `after` is 'head'. */
  | { readonly kind: 'reset'; readonly after: number | 'head' }
  /** States this `Content-Length` and sends the whole file all the same. */
  | { readonly kind: 'state-length'; readonly length: number }
  | { readonly kind: 'redirect'; readonly to: string; readonly status?: number }
  /** Sends bytes without end. */
  | { readonly kind: 'endless'; readonly framing: 'chunked' | 'close' }
  /** The whole file in chunked framing, so without a length. */
  | { readonly kind: 'chunked' }
  /** A chunk size that is no number, after `after` bytes. */
  | { readonly kind: 'broken-chunks'; readonly after: number }
  /** `Content-Length` and `Transfer-Encoding: chunked` at once. */
  | { readonly kind: 'both-framings' }
  /** The whole file, ended by the end of the connection alone. */
  | { readonly kind: 'close-delimited' }
  /** The file compressed, with `Content-Encoding: gzip`, whatever was asked for. */
  | { readonly kind: 'gzip' }
  /** 200 with an HTML page that says "not found". */
  | { readonly kind: 'soft-404' }
  /** The file under another content type. */
  | { readonly kind: 'wrong-type'; readonly type: string }
  /** These very bytes on the socket, then its end. */
  | { readonly kind: 'raw'; readonly bytes: string }
  /** Waits for the promise, then serves the file (or does what `then` says). */
  | { readonly kind: 'hold'; readonly until: Promise<unknown>; readonly then?: Behaviour }
  /** One behaviour a request, in order; undefined serves the file. The last one stays. */
  | { readonly kind: 'sequence'; readonly steps: readonly [Behaviour | undefined, ...(Behaviour | undefined)[]] };

type Headers = Readonly<Record<string, string>>;

/** A request under way, as a behaviour gets it. */
export interface ChaosExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly file: ChaosFile | undefined;
  /** Serves the file in good order: ranges, conditions, HEAD. */
  serveFile(file?: ChaosFile): Promise<void>;
  /** Which of a sequence's steps is due for this path; counts up. */
  nextStep(): number;
}

type Act<Kind extends Behaviour['kind']> = (
  behaviour: Extract<Behaviour, { kind: Kind }>,
  exchange: ChaosExchange,
) => unknown;

const acts: { readonly [Kind in Behaviour['kind']]: Act<Kind> } = {
  status: ({ status, headers, body }, { response }) => response.writeHead(status, headers).end(body ?? ''),
  'no-head': ({ status }, exchange) =>
    exchange.request.method === 'HEAD' ? exchange.response.writeHead(status).end() : exchange.serveFile(),
  silent: () => undefined,
  stall: async ({ after }, { request: { socket }, file }) => {
    await write(socket, head(file, { 'content-length': String(length(file)) }), bytes(file, 0, after));
  },
  drip: async ({ bytes: portion, everyMs }, { request: { socket }, file }) => {
    await write(socket, head(file, { 'content-length': String(length(file)) }));
    let sent = 0;
    const timer = setInterval(() => {
      socket.write(bytes(file, sent, sent + portion));
      sent += portion;
      if (sent >= length(file)) clearInterval(timer);
    }, everyMs);
    socket.once('close', () => clearInterval(timer));
  },
  truncate: async ({ after, framing }, { request: { socket }, file }) => {
    if (framing === 'chunked') {
      await write(socket, head(file, { 'transfer-encoding': 'chunked' }), chunk(bytes(file, 0, after)));
    } else {
      const fields: Headers =
        framing === 'length' ? { 'content-length': String(length(file)) } : { connection: 'close' };
      await write(socket, head(file, fields), bytes(file, 0, after));
    }
    socket.end();
  },
  reset: async ({ after }, { request: { socket }, file }) => {
    if (after !== 'head') {
      await write(socket, head(file, { 'content-length': String(length(file)) }), bytes(file, 0, after));
    }
    socket.resetAndDestroy();
  },
  'state-length': async ({ length: stated }, { request: { socket }, file }) => {
    await write(socket, Buffer.concat([head(file, { 'content-length': String(stated) }), bytes(file)]));
    socket.end();
  },
  redirect: ({ to, status }, { response }) => response.writeHead(status ?? 302, { location: to }).end('moved'),
  endless: async ({ framing }, { request: { socket }, file }) => {
    const portion = Buffer.alloc(65_536, 'x');
    await write(
      socket,
      head(file, framing === 'chunked' ? { 'transfer-encoding': 'chunked' } : { connection: 'close' }),
    );
    while (!socket.destroyed) await write(socket, framing === 'chunked' ? chunk(portion) : portion);
  },
  chunked: async (_, { response, file }) => {
    response.writeHead(200, { 'content-type': type(file) });
    response.flushHeaders();
    response.end(bytes(file));
  },
  'broken-chunks': async ({ after }, { request: { socket }, file }) => {
    await write(socket, head(file, { 'transfer-encoding': 'chunked' }), chunk(bytes(file, 0, after)), 'ZZ\r\nno chunk');
  },
  'both-framings': async (_, { request: { socket }, file }) => {
    const fields = { 'content-length': String(length(file)), 'transfer-encoding': 'chunked' };
    await write(socket, head(file, fields), chunk(bytes(file)), '0\r\n\r\n');
    socket.end();
  },
  'close-delimited': async (_, { request: { socket }, file }) => {
    await write(socket, head(file, { connection: 'close' }), bytes(file));
    socket.end();
  },
  gzip: (_, { response, file }) => {
    const body = gzipSync(bytes(file));
    const fields = { 'content-type': type(file), 'content-encoding': 'gzip', 'content-length': body.length };
    response.writeHead(200, fields).end(body);
  },
  'soft-404': (_, { response }) =>
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<!doctype html><h1>Not found</h1>'),
  'wrong-type': ({ type: other }, exchange) =>
    exchange.serveFile(exchange.file === undefined ? undefined : { ...exchange.file, type: other }),
  raw: async ({ bytes: text }, { request: { socket } }) => {
    await write(socket, Buffer.from(text, 'latin1'));
    socket.end();
  },
  hold: async ({ until, then }, exchange) => {
    await until;
    await behave(then, exchange);
  },
  sequence: async ({ steps }, exchange) => {
    await behave(steps[Math.min(exchange.nextStep(), steps.length - 1)], exchange);
  },
};

/** Does what the behaviour says, or serves the file in good order where there is none. */
export async function behave(behaviour: Behaviour | undefined, exchange: ChaosExchange): Promise<void> {
  if (behaviour === undefined) await exchange.serveFile();
  else await (acts[behaviour.kind] as Act<Behaviour['kind']>)(behaviour as never, exchange);
}

function length(file: ChaosFile | undefined): number {
  return file?.content.length ?? 0;
}

function type(file: ChaosFile | undefined): string {
  return file?.type ?? 'application/octet-stream';
}

function bytes(file: ChaosFile | undefined, start = 0, end = length(file)): Uint8Array {
  return file?.content.subarray(start, end) ?? Buffer.alloc(0);
}

function head(file: ChaosFile | undefined, fields: Headers): Buffer {
  const lines = Object.entries({ 'content-type': type(file), ...fields }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return Buffer.from(`HTTP/1.1 200 OK\r\n${lines.join('')}\r\n`);
}

function chunk(content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${content.length.toString(16)}\r\n`), content, Buffer.from('\r\n')]);
}

/** Writes past Node's HTTP server, straight to the socket; each part is with the kernel before the next. */
async function write(socket: Socket, ...parts: readonly (string | Uint8Array)[]): Promise<void> {
  for (const part of parts) {
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => {
      socket.write(part, () => resolve());
    });
  }
}
