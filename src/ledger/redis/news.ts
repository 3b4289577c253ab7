import { Cluster, type Redis } from 'ioredis';
import { decodeAssetKey } from '../../asset/key.ts';
import type { LedgerNews } from '../ledger.ts';
import { NewsDesk, type NewsListener } from '../news-desk.ts';
import type { RedisConnection } from './connection.ts';

/**
 * Hears the news channel over a connection of its own, made with the first listener. Messages are hints: what is
 * published while the connection is down is lost, so each time it stands again the listeners are told that anything
 * may have changed.
 */
export class RedisNews {
  readonly #channel: string;
  readonly #open: () => RedisConnection;
  readonly #desk: NewsDesk;
  #connection: RedisConnection | undefined;

  constructor(channel: string, open: () => RedisConnection, warn: (message: string) => void) {
    this.#channel = channel;
    this.#open = open;
    this.#desk = new NewsDesk(warn);
  }

  subscribe(listener: NewsListener): () => void {
    const remove = this.#desk.add(listener);
    this.#connection ??= this.#listen();
    return () => {
      remove();
      if (this.#desk.isEmpty) this.close();
    };
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  #listen(): RedisConnection {
    const connection = this.#open();
    const { client } = connection;
    client.on('message', (_channel: string, message: string) => this.#desk.tell(readNews(message)));
    const tellAnything = () => this.#desk.tell({});
    if (client instanceof Cluster) {
      // The Cluster client moves its subscriber to another node by itself and does not say so; nodes coming and going
      // are what makes it do so.
      client.on('+node', tellAnything);
      client.on('-node', tellAnything);
    }
    client.on('ready', () => void this.#join(client).then(tellAnything, () => {}));
    return connection;
  }

  /** Fails only when the connection is lost again, and then there will be another `ready`. */
  async #join(client: Redis | Cluster): Promise<void> {
    await client.subscribe(this.#channel);
  }
}

function readNews(message: string): LedgerNews {
  try {
    return { key: decodeAssetKey(message) };
  } catch {
    return {};
  }
}
