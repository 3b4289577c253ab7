import { setTimeout as delay } from 'node:timers/promises';
import type { Intervention } from '../support/recording-store.ts';
import { type RedisServer, startRedis, startRedisCluster, startSentinelFleet } from '../support/redis-server.ts';
import type { Seat } from './seat.ts';

/** What the ledger runs on, and what can happen to it. */
export interface LedgerGround {
  readonly url: string;
  /** One disaster; resolves when it is over, if not survived yet. */
  readonly disasters: Readonly<Record<string, () => Promise<void>>>;
  stop(): Promise<void>;
}

export const grounds = {
  async redis(): Promise<LedgerGround> {
    const server = await startRedis();
    return {
      url: server.url,
      disasters: {
        'redis restarted empty': () => server.restart(),
        'redis flushed': async () => void (await server.client.flushall()),
        'redis stood still': () => standStill(server),
        'redis lost its scripts': async () => void (await server.client.script('FLUSH')),
      },
      stop: () => server.stop(),
    };
  },
  async sentinel(): Promise<LedgerGround> {
    const fleet = await startSentinelFleet();
    const current = async () => ((await fleet.masterPort()) === fleet.master.port ? fleet.master : fleet.replica);
    return {
      url: fleet.url,
      disasters: {
        'master lost, replica promoted': async () => {
          const lost = await current();
          await lost.kill();
          while ((await fleet.masterPort()) === lost.port) await delay(50);
          await lost.restart();
        },
        'master flushed': async () => void (await (await current()).client.flushall()),
        'master stood still': async () => standStill(await current()),
      },
      stop: () => fleet.stop(),
    };
  },
  async cluster(): Promise<LedgerGround> {
    const cluster = await startRedisCluster();
    const any = () => cluster.nodes[Math.floor(Math.random() * cluster.nodes.length)] as RedisServer;
    return {
      url: cluster.url,
      disasters: {
        'node restarted empty': () => any().restart(),
        'node flushed': async () => void (await any().client.flushall()),
        'node stood still': () => standStill(any()),
      },
      stop: () => cluster.stop(),
    };
  },
};

async function standStill(server: RedisServer): Promise<void> {
  server.pause();
  await delay(1_500);
  server.resume();
}

/** Longer than the lease of the fleet's claims. */
const standStillMs = 2_000;

export const processDisasters: Readonly<Record<string, (seat: Seat) => Promise<unknown>>> = {
  'process killed': (seat) => seat.crash(),
  'process stood still past its lease': (seat) => seat.standStill(delay(standStillMs)),
  'process replaced': (seat) => seat.replace(),
};

/** A store in a bad mood: one upload in four fails, in one way or another. */
export function moody(random: () => number): Intervention | undefined {
  const kind = Math.floor(random() * 20);
  switch (kind) {
    case 0:
      return {
        kind: 'answer',
        status: 420,
        body: JSON.stringify({ error: { message: 'Rate Limit Exceeded' } }),
        headers: { 'retry-after': '1' },
      };
    case 1:
    case 2:
      return { kind: 'answer', status: 500, body: JSON.stringify({ error: { message: 'Internal Server Error' } }) };
    case 3:
      return { kind: 'cut', stored: false };
    case 4:
      return { kind: 'cut', stored: true };
    default:
      return undefined;
  }
}
