import { setTimeout as delay } from 'node:timers/promises';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisAddress } from './address.ts';
import { defineScripts, type RedisCommands } from './scripts.ts';
import { needsReconnecting } from './unavailable.ts';

export interface ConnectionOptions {
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly warn: (message: string) => void;
}

/** A connection that fails fast while it is down and comes back by itself. */
export interface RedisConnection {
  readonly client: Redis | Cluster;
  readonly commands: RedisCommands;
  /** Settles when the first attempt to connect has ended, well or badly. */
  readonly attempted: Promise<void>;
  close(): void;
}

export function connect(address: RedisAddress, options: ConnectionOptions): RedisConnection {
  const client = address.kind === 'cluster' ? clusterClient(address, options) : singleClient(address, options);
  warnOfErrors(client, options.warn);
  const giveUp = new AbortController();
  const attempted = Promise.race([
    // An error is not yet the end of the attempt (a Cluster has more contacts, Sentinel more answers), a close is.
    new Promise<void>((resolve) => {
      for (const event of ['ready', 'close', 'end'] as const) client.once(event, () => resolve());
    }),
    delay(options.connectTimeoutMs, undefined, { signal: giveUp.signal }).catch(() => {}),
  ]).finally(() => giveUp.abort());
  return { client, commands: defineScripts(client), attempted, close: () => client.disconnect() };
}

/**
 * ioredis by default lets commands of a dead server wait for over a minute, and sends commands again whose answer got
 * lost. Here a command fails at once while there is no connection, and after `commandTimeoutMs` when there is no
 * answer; whoever asked decides what then. A connection that stays silent is given up and made anew.
 */
function commonOptions(address: RedisAddress, { commandTimeoutMs, connectTimeoutMs }: ConnectionOptions) {
  return {
    ...(address.username !== undefined && { username: address.username }),
    ...(address.password !== undefined && { password: address.password }),
    ...(address.tls && { tls: {} }),
    commandTimeout: commandTimeoutMs,
    connectTimeout: connectTimeoutMs,
    socketTimeout: commandTimeoutMs * 4,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    reconnectOnError: needsReconnecting,
    connectionName: 'lazyferry-ledger',
  } satisfies RedisOptions;
}

function singleClient(address: RedisAddress, options: ConnectionOptions): Redis {
  const [node] = address.nodes;
  return new Redis({
    ...commonOptions(address, options),
    ...(address.kind === 'sentinel'
      ? {
          sentinels: address.nodes.map(({ host, port }) => ({ host, port })),
          name: address.master,
          sentinelUsername: address.sentinelUsername,
          sentinelPassword: address.sentinelPassword,
          enableTLSForSentinelMode: address.tls,
          sentinelRetryStrategy: reconnectDelay,
          sentinelCommandTimeout: options.connectTimeoutMs,
          failoverDetector: true,
        }
      : { host: node?.host, port: node?.port }),
    db: address.database,
    enableOfflineQueue: false,
    retryStrategy: reconnectDelay,
  });
}

function clusterClient(address: RedisAddress, options: ConnectionOptions): Cluster {
  return new Cluster(
    address.nodes.map(({ host, port }) => ({ host, port })),
    {
      redisOptions: commonOptions(address, options),
      enableOfflineQueue: false,
      clusterRetryStrategy: reconnectDelay,
      slotsRefreshTimeout: options.connectTimeoutMs,
      slotsRefreshInterval: 5_000,
      // A command that meets a moving slot or a failover is tried again for a moment, then fails.
      maxRedirections: 4,
      retryDelayOnFailover: 50,
      retryDelayOnClusterDown: 50,
      retryDelayOnTryAgain: 50,
    },
  );
}

/** Doubling, at most 2 s, with jitter: a fleet does not come back all in one moment. */
function reconnectDelay(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 6), 1_000) + Math.random() * 1_000;
}

/** Each kind of trouble once, until the connection stands again. */
function warnOfErrors(client: Redis | Cluster, warn: (message: string) => void): void {
  const told = new Set<string>();
  client.on('ready', () => told.clear());
  client.on('error', (error: Error) => {
    if (told.has(error.message)) return;
    told.add(error.message);
    warn(`the ledger's Redis: ${error.message}`);
  });
}
