import { setTimeout as delay } from 'node:timers/promises';
import { openRedisLedger } from '../../src/ledger/redis/redis-ledger.ts';
import { startRedis, startRedisCluster } from '../support/redis-server.ts';
import { describeLedger } from './ledger.contract.ts';

describeLedger('Redis', async () => {
  const server = await startRedis();
  return {
    open: () => openRedisLedger({ url: server.url }),
    clear: async () => void (await server.client.flushall()),
    // The server's clock is the ledger's; what passes is a lease of some milliseconds.
    pass: (ms) => delay(ms),
    close: () => server.stop(),
  };
});

describeLedger('a Redis Cluster', async () => {
  const cluster = await startRedisCluster();
  return {
    open: () => openRedisLedger({ url: `${cluster.url}?prefix=team-a` }),
    async clear() {
      await Promise.all(cluster.nodes.map(({ client }) => client.flushall()));
    },
    pass: (ms) => delay(ms),
    close: () => cluster.stop(),
  };
});
