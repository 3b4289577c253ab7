import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ListenAddress } from '../config/values.ts';
import { cutStalledReaders } from '../http/stalled-readers.ts';
import { untilLastAnswer } from './last-answer.ts';

export interface Listener {
  /** Where it listens: `http://host:port`. */
  readonly url: string;
  readonly server: Server;
  /** From now on each answer is the last of its connection, so that clients go elsewhere without losing a request. */
  leave(): void;
  /**
   * Stops taking connections and lets the answers under way finish; after `graceMs` what is left is cut. Resolves when
   * every connection is closed.
   */
  close(graceMs: number): Promise<void>;
}

/**
 * Time a connection may rest between two requests. Longer than the idle time of every common CDN and load balancer
 * (60 s): otherwise they lose the request that they send in the moment we close.
 */
const keepAliveTimeoutMs = 65_000;

/** Time a client may leave an answer unread (`http/stalled-readers.ts`). */
const stalledReaderMs = 60_000;

export interface ListenerLimits {
  /** Connections at a time; what is above is closed at once. */
  readonly maxConnections: number;
  /** Default: a minute. */
  readonly stalledReaderMs?: number;
}

/**
 * Listens with the limits that a server on the open internet needs: slow headers and bodies, header size and requests
 * per connection are bounded, and broken requests are answered and cut.
 *
 * Rejects when the address cannot be had.
 */
export async function listen(
  handler: RequestListener,
  address: ListenAddress,
  limits: ListenerLimits,
): Promise<Listener> {
  let leaving = false;
  const server = createServer(
    {
      connectionsCheckingInterval: 2_000,
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: keepAliveTimeoutMs,
      maxHeaderSize: 16_384,
      insecureHTTPParser: false,
      joinDuplicateHeaders: false,
      requireHostHeader: true,
      rejectNonStandardBodyWrites: true,
      noDelay: true,
    },
    untilLastAnswer((request, response) => {
      if (leaving) response.shouldKeepAlive = false;
      handler(request, response);
    }),
  );
  server.maxRequestsPerSocket = 10_000;
  server.maxConnections = limits.maxConnections;
  const stopLooking = cutStalledReaders(server, limits.stalledReaderMs ?? stalledReaderMs);
  server.once('close', stopLooking);
  // An expectation that nobody knows is no reason to refuse (RFC 9110 §10.1.1), and 417 would be a header's doing.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('connect', (_request, socket: Socket) => refuse(socket, '405 Method Not Allowed'));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => answerBrokenRequest(error, socket as Socket));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address.host, port: address.port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const leave = () => {
    leaving = true;
  };
  return { url: urlOf(server), server, leave, close: (graceMs) => close(server, graceMs) };
}

const statusByCode: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  refuse(socket, statusByCode[error.code ?? ''] ?? '400 Bad Request');
}

function refuse(socket: Socket, status: string): void {
  // A cache may know the URL of what we could not read: our answer to that one client is nobody else's.
  const head = [`HTTP/1.1 ${status}`, 'Connection: close', 'Cache-Control: no-store', 'Content-Length: 0'];
  socket.end(`${head.join('\r\n')}\r\n\r\n`, () => socket.destroy());
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    // `close` lets go the connections that rest now; one that is kept alive after its last answer would stay.
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    server.close(() => {
      clearTimeout(cut);
      clearInterval(sweep);
      resolve();
    });
  });
}
