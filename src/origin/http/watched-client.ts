import { Client, type Dispatcher, errors, Pool } from 'undici';

/** What is known of the connection that carries one exchange. Given to undici as the request's `opaque`. */
export class Lane {
  /** The connection had been open before: the origin may have closed it just as we wrote. */
  isReused = false;
  #client: WatchedClient | undefined;
  #faultsBefore = 0;

  enter(client: WatchedClient, isReused: boolean): void {
    this.#client = client;
    this.isReused = isReused;
    this.#faultsBefore = client.faults;
  }

  /** The connection has meanwhile carried bytes that belong to no answer. */
  isSpoiled(): boolean {
    return this.#client !== undefined && this.#client.faults > this.#faultsBefore;
  }
}

/**
 * One connection that remembers being broken by bytes that belong to no answer. undici ends a body after the stated
 * number of bytes and drops the connection when more follow, without a word to whoever read the body: an origin that
 * states too small a length would pass for whole.
 */
class WatchedClient extends Client {
  faults = 0;

  constructor(origin: string | URL, options: Client.Options) {
    super(origin, options);
    this.on('disconnect', (_origin, _targets, error) => {
      if (error instanceof errors.HTTPParserError) this.faults += 1;
    });
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { opaque } = options as { readonly opaque?: unknown };
    if (opaque instanceof Lane) opaque.enter(this, this.stats.connected);
    return super.dispatch(options, handler);
  }
}

/** Makes the dispatcher of one origin: a pool of watched connections. */
export function createWatchedPool(origin: string | URL, options: object): Dispatcher {
  return new Pool(origin, { ...options, factory: (url, clientOptions) => new WatchedClient(url, clientOptions) });
}
