import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cutStalledReaders } from '../http/stalled-readers.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Milliseconds for the answers under way when a listener closes. */
const CLOSE_GRACE = 5_000;

/** Connections at a time; what is above is closed at once. Each takes a descriptor, and so does each file it reads. */
const MOST_CONNECTIONS = 10_000;

/** Milliseconds that a client may leave an answer unread. */
const STALLED_READER = 60_000;

/** One HTTP server that starts, knows its URL, and closes in bounded time. */
export class Listener {
  readonly #server: Server;
  #url = '';

  constructor(answer: RequestListener, { mostConnections = MOST_CONNECTIONS, stalledReader = STALLED_READER } = {}) {
    // An upload of gigabytes may take long; headers may not.
    const timeouts = { requestTimeout: 3600e3, headersTimeout: 15e3, keepAliveTimeout: 65e3 };
    this.#server = createServer(timeouts, answer);
    this.#server.maxConnections = mostConnections;
    this.#server.once('close', cutStalledReaders(this.#server, stalledReader));
  }

  /** Without a slash at the end; empty before it listens. */
  get url(): string {
    return this.#url;
  }

  listen({ host, port }: Address): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        const { port: taken } = this.#server.address() as AddressInfo;
        this.#url = `http://${host.includes(':') ? `[${host}]` : host}:${taken}`;
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const patience = setTimeout(() => this.#server.closeAllConnections(), CLOSE_GRACE);
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
    });
    clearTimeout(patience);
  }
}
