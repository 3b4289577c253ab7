import type { Socket } from 'node:net';
import { type buildConnector, Client, type Dispatcher, errors, Pool } from 'undici';

/** Tells which connection carries an exchange. Given to undici as the request's `opaque`. */
export class Lane {
  /** The connection had been open before: the origin may have closed it just as we wrote. */
  isReused = false;
  #client: WatchedClient | undefined;

  enter(client: WatchedClient): void {
    this.#client = client;
    this.isReused = client.stats.connected;
  }

  /** The connection, once the head of the answer is there. */
  socket(): Socket | undefined {
    return this.#client?.socket;
  }
}

/**
 * Whether more bytes came than the answer states. undici ends such a body in good order and drops the connection,
 * without a word to whoever reads the body; an origin that states too small a length would pass for whole.
 *
 * Seen when the surplus comes with the end of the body, on a connection that was to stay open. On one that closes with
 * its answer nobody looks at what follows.
 */
export function hasSurplus(socket: Socket | undefined): boolean {
  const error: unknown = socket?.errored;
  // The same error class says that the other side closed the connection, which is no surplus: then its end was read.
  const isBadResponse = error instanceof errors.SocketError && socket?.readableEnded === false;
  return isBadResponse || error instanceof errors.HTTPParserError;
}

/** One connection at a time that shows its socket. */
class WatchedClient extends Client {
  #socket: Socket | undefined;

  constructor(origin: string | URL, options: Client.Options & { readonly connect: buildConnector.connector }) {
    super(origin, {
      ...options,
      connect: (target, callback) =>
        options.connect(target, (...result) => {
          this.#socket = result[1] ?? undefined;
          callback(...result);
        }),
    });
  }

  get socket(): Socket | undefined {
    return this.#socket;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { opaque } = options as { readonly opaque?: unknown };
    if (opaque instanceof Lane) opaque.enter(this);
    return super.dispatch(options, handler);
  }
}

/** Makes the connections of one host. `options` are the agent's, with a connector function. */
export function createWatchedPool(origin: string | URL, options: object): Dispatcher {
  return new Pool(origin, {
    ...options,
    factory: (url, clientOptions) =>
      new WatchedClient(url, clientOptions as Client.Options & { readonly connect: buildConnector.connector }),
  });
}
