import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type Behaviour, behave } from './chaos-behaviour.ts';
import type { ChaosContent } from './chaos-content.ts';
import { type ChaosFile, type ChaosFileOptions, chaosFile, serveFile } from './chaos-file.ts';

/** One request as it arrived. */
interface ChaosRequest {
  readonly method: string;
  /** Path and query, as on the wire. */
  readonly url: string;
  /** The path alone. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * A real origin on 127.0.0.1 that serves files well until told otherwise.
 *
 * ```ts
 * const origin = await startChaosOrigin();
 * origin.put('/images/a.jpg', jpegBytes);
 * origin.set('/images/b.jpg', { kind: 'truncate', after: 100, framing: 'length' });
 * ```
 */
export interface ChaosOrigin extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Every request so far, oldest first. */
  readonly requests: readonly ChaosRequest[];
  /** Connections open at present. */
  readonly openSockets: number;
  /** Connections ever taken. */
  readonly connections: number;
  /** Puts a file, or another in its place: the content changed. Returns it, with its ETag. */
  put(path: string, content: ChaosContent | string, options?: ChaosFileOptions): ChaosFile;
  /** Takes the file away: 404 from now on. */
  remove(path: string): void;
  /** Sets what requests for the path get; undefined: the file again. */
  set(path: string, behaviour: Behaviour | undefined): void;
  /** Sets what every request gets, ahead of {@link set}: an origin that is down as a whole. */
  setAll(behaviour: Behaviour | undefined): void;
  /** Requests for the path, of one method or of all. */
  count(path: string, method?: 'GET' | 'HEAD'): number;
  /** GETs for the path that asked for the whole object. */
  bodyReads(path: string): number;
  /** Resolves once there have been that many requests for the path. */
  requested(path: string, times?: number): Promise<void>;
  /** Resolves once at most that many connections are open. */
  drained(openSockets?: number): Promise<void>;
  /** Refuses connections and drops those there are, until {@link resume}. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
}

export interface ChaosOriginOptions {
  /** Speak https with the certificate in `test/support/tls/`, for localhost, origin.test and 127.0.0.1. */
  readonly tls?: boolean;
  readonly host?: string;
  /** Says how a request is refused before anything else is looked at; undefined: let in. */
  readonly admit?: (request: ChaosRequest) => Extract<Behaviour, { kind: 'status' }> | undefined;
}

/** The test certificate in PEM, for clients of a chaos origin with `tls`. */
export const chaosCertificate = readFileSync(new URL('tls/localhost.cert.pem', import.meta.url), 'utf8');

export async function startChaosOrigin(options: ChaosOriginOptions = {}): Promise<ChaosOrigin> {
  const host = options.host ?? '127.0.0.1';
  const files = new Map<string, ChaosFile>();
  const behaviours = new Map<string, Behaviour>();
  const steps = new Map<string, number>();
  const requests: ChaosRequest[] = [];
  const sockets = new Set<Socket>();
  const news = new EventEmitter().setMaxListeners(0);
  let forAll: Behaviour | undefined;
  let connections = 0;

  const listener: RequestListener = (request, response) => {
    const path = pathOf(request);
    const arrived = { method: request.method ?? '', url: request.url ?? '', path, headers: request.headers };
    requests.push(arrived);
    news.emit('request');
    const exchange = {
      request,
      response,
      file: files.get(path),
      serveFile: async (file = files.get(path)) => {
        if (file === undefined) response.writeHead(404, { 'content-type': 'text/plain' }).end('no such file');
        else await serveFile(request, response, file);
      },
      nextStep: () => {
        const step = steps.get(path) ?? 0;
        steps.set(path, step + 1);
        return step;
      },
    };
    behave(options.admit?.(arrived) ?? forAll ?? behaviours.get(path), exchange).catch((error: unknown) => {
      request.socket.destroy();
      news.emit('error', error);
    });
  };
  const server = options.tls
    ? createTlsServer(
        { key: readFileSync(new URL('tls/localhost.key.pem', import.meta.url)), cert: chaosCertificate },
        listener,
      )
    : createServer(listener);
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      sockets.delete(socket);
      news.emit('socket');
    });
  });

  const listen = async (port: number): Promise<void> => {
    server.listen(port, host);
    await once(server, 'listening');
  };
  const pause = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const until = async (event: 'request' | 'socket', isDone: () => boolean): Promise<void> => {
    while (!isDone()) await once(news, event);
  };
  const count = (path: string, method?: string): number =>
    requests.filter((request) => request.path === path && (method ?? request.method) === request.method).length;

  await listen(0);
  const { port } = server.address() as AddressInfo;

  return {
    url: `${options.tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    requests,
    get openSockets() {
      return sockets.size;
    },
    get connections() {
      return connections;
    },
    put(path, content, fileOptions) {
      const file = chaosFile(content, fileOptions);
      files.set(path, file);
      return file;
    },
    remove: (path) => void files.delete(path),
    set(path, behaviour) {
      steps.delete(path);
      if (behaviour === undefined) behaviours.delete(path);
      else behaviours.set(path, behaviour);
    },
    setAll(behaviour) {
      steps.clear();
      forAll = behaviour;
    },
    count,
    bodyReads: (path) =>
      requests.filter((request) => request.path === path && request.method === 'GET' && !request.headers.range).length,
    requested: (path, times = 1) => until('request', () => count(path) >= times),
    drained: (openSockets = 0) => until('socket', () => sockets.size <= openSockets),
    pause,
    resume: () => listen(port),
    close: pause,
    [Symbol.asyncDispose]: pause,
  };
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}
