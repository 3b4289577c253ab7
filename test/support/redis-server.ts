import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** A real Redis for tests: loopback only, a folder of its own, gone with `stop`. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** A client for the test's own use; closed by `stop`. */
  readonly client: Redis;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder; resolves when it answers. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

interface ServerOptions {
  readonly port?: number;
  readonly settings?: readonly string[];
}

export async function startRedis({ port, settings = [] }: ServerOptions = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'lazyferry-redis-'));
  const ownPort = port ?? (await freePort());
  const command = [
    ...['--port', String(ownPort), '--bind', '127.0.0.1', '--dir', folder],
    ...['--save', '', '--appendonly', 'no', '--enable-debug-command', 'yes', '--daemonize', 'no'],
    ...settings,
  ];
  const client = new Redis({
    port: ownPort,
    host: '127.0.0.1',
    lazyConnect: true,
    retryStrategy: () => 50,
    maxRetriesPerRequest: null,
  });
  client.on('error', () => {});
  let server = await launch(command);
  await client.connect();

  return {
    port: ownPort,
    url: `redis://127.0.0.1:${ownPort}`,
    client,
    kill: () => end(server, 'SIGKILL'),
    async restart() {
      await end(server, 'SIGKILL');
      server = await launch(command);
      await client.ping();
    },
    pause: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
    async stop() {
      client.disconnect();
      await end(server, 'SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface SentinelFleet {
  /** `redis+sentinel://…/mymaster` */
  readonly url: string;
  /** The master at the start. */
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** The port of the server the Sentinels call the master. */
  masterPort(): Promise<number>;
  stop(): Promise<void>;
}

/** A master, one replica and three Sentinels that fail over within about a second. */
export async function startSentinelFleet(): Promise<SentinelFleet> {
  const master = await startRedis();
  const replica = await startRedis({ settings: ['--replicaof', '127.0.0.1', String(master.port)] });
  await untilReplicated(replica.client);
  const folder = await mkdtemp(join(tmpdir(), 'lazyferry-sentinel-'));
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const sentinels: ChildProcess[] = [];
  for (const port of ports) {
    const file = join(folder, `sentinel-${port}.conf`);
    await writeFile(
      file,
      [
        `port ${port}`,
        'bind 127.0.0.1',
        `dir ${folder}`,
        `sentinel monitor mymaster 127.0.0.1 ${master.port} 2`,
        'sentinel down-after-milliseconds mymaster 500',
        'sentinel failover-timeout mymaster 2000',
        '',
      ].join('\n'),
    );
    sentinels.push(await launch([file, '--sentinel']));
  }
  const asked = new Redis({ port: ports[0], host: '127.0.0.1', maxRetriesPerRequest: null });
  asked.on('error', () => {});
  const masterPort = async () =>
    Number(((await asked.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster')) as string[])[1]);
  // A failover needs Sentinels that know of each other and of the replica.
  await until(async () => {
    const state = flatToMap((await asked.call('SENTINEL', 'MASTER', 'mymaster')) as string[]);
    return state.get('num-other-sentinels') === '2' && state.get('num-slaves') === '1';
  });
  return {
    url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/mymaster`,
    master,
    replica,
    masterPort,
    async stop() {
      asked.disconnect();
      await Promise.all(sentinels.map((sentinel) => end(sentinel, 'SIGKILL')));
      await Promise.all([master.stop(), replica.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface RedisCluster {
  /** `redis+cluster://…` */
  readonly url: string;
  readonly nodes: readonly RedisServer[];
  stop(): Promise<void>;
}

/** Three masters that share the slots. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const settings = [
    '--cluster-enabled',
    'yes',
    '--cluster-node-timeout',
    '1000',
    '--cluster-config-file',
    'nodes.conf',
  ];
  const nodes = await Promise.all([0, 1, 2].map(async () => startRedis({ port: await freeClusterPort(), settings })));
  const [first, ...others] = nodes;
  for (const [index, { client }] of nodes.entries()) {
    const from = Math.ceil((index * 16_384) / 3);
    const to = Math.ceil(((index + 1) * 16_384) / 3) - 1;
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  for (const { port } of others) await first?.client.call('CLUSTER', 'MEET', '127.0.0.1', port);
  for (const { client } of nodes) {
    await until(async () => {
      const state = String(await client.call('CLUSTER', 'INFO'));
      return state.includes('cluster_state:ok') && state.includes('cluster_known_nodes:3');
    });
  }
  return {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

/** Asks again every few milliseconds; for servers that have no event to wait for. */
export async function until(holds: () => Promise<boolean>, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`it did not come about within ${withinMs} ms`);
    await delay(20);
  }
}

async function launch(command: readonly string[]): Promise<ChildProcess> {
  const server = spawn('redis-server', command, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.stdout.on('data', (chunk) => {
    log = (log + chunk).slice(-4_000);
    if (/Ready to accept connections|Sentinel ID is/.test(log)) resolve();
  });
  server.stderr.on('data', (chunk) => {
    log = (log + chunk).slice(-4_000);
  });
  server.once('error', (error: NodeJS.ErrnoException) => {
    reject(
      error.code === 'ENOENT'
        ? new Error('redis-server is not installed: apt-get install redis-server (these tests never skip)')
        : error,
    );
  });
  server.once('exit', (code, signal) => reject(new Error(`redis-server ended (${code ?? signal}): ${log}`)));
  await promise;
  return server;
}

async function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = once(server, 'exit');
  server.kill(signal);
  await gone;
}

async function untilReplicated(client: Redis): Promise<void> {
  await until(async () => (await client.info('replication')).includes('master_link_status:up'));
}

function flatToMap(flat: readonly string[]): Map<string, string> {
  const map = new Map<string, string>();
  for (let index = 0; index + 1 < flat.length; index += 2) map.set(String(flat[index]), String(flat[index + 1]));
  return map;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

/** A Cluster node also listens 10,000 ports higher. */
async function freeClusterPort(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port <= 55_535) return port;
  }
}
