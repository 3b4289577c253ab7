import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'undici';
import type { ConfigInput } from '../../../src/config/schema.ts';
import { type ChaosOrigin, startChaosOrigin } from '../../support/chaos-origin.ts';
import { type LazyferryProcess, startLazyferry } from '../../support/lazyferry-process.ts';
import { proxyConfig } from '../../support/proxy-config.ts';
import { type RecordingStore, startRecordingStore } from '../../support/recording-store.ts';

/** A photo of 66,528 bytes. */
export const photo = readFileSync(join(import.meta.dirname, '../../../sample/media/photos/lake.jpg'));

type MappingInput = ConfigInput['mappings'][number];

/** An origin that can be told to misbehave, a store that counts uploads, and lazyferry between them. */
export interface Scene extends AsyncDisposable {
  readonly origin: ChaosOrigin;
  readonly store: RecordingStore;
  readonly proxy: LazyferryProcess;
  /** One more process of the same fleet: the same configuration, its own data directory. */
  another(): Promise<LazyferryProcess>;
}

export interface SceneOptions {
  /** Each gets the chaos origin, under a folder named as the prefix, where it names none itself. */
  readonly mappings: readonly Omit<MappingInput, 'origin'>[];
  readonly config?: Omit<ConfigInput, 'mappings'>;
  readonly storeDirectory: string;
  readonly args?: readonly string[];
  /** Milliseconds the store gives an origin that it loads a URL from. */
  readonly storeFetchTimeout?: number;
}

export async function startScene(options: SceneOptions): Promise<Scene> {
  const { mappings, config, storeDirectory, args = [], storeFetchTimeout = 60_000 } = options;
  const origin = await startChaosOrigin();
  const store = await startRecordingStore(storeDirectory, { fetchTimeout: storeFetchTimeout });
  const file = proxyConfig(
    {
      ...config,
      store: { uploadPrefix: store.url, deliveryPrefix: store.url, ...config?.store },
      mappings: mappings.map((mapping) => ({
        ...mapping,
        origin: `${origin.url}${mapping.prefix}`,
        network: { allowPrivate: true, ...mapping.network },
      })),
    },
    { keep: true },
  );
  const start = () =>
    startLazyferry({ args: ['--config', file, ...args], environment: { CLOUDINARY_URL: store.account } });
  const proxy = await start();
  return {
    another: start,
    origin,
    store,
    proxy,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await origin.close();
    },
  };
}

export interface Received {
  /** 0: the connection ended before there was an answer. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** What came, whole or not. */
  readonly body: Buffer;
  /** Whether the message was whole by its framing: what a client, or a CDN, goes by. */
  readonly whole: boolean;
}

/** One request on a connection of its own. Never rejects for what the server does. */
export async function fetchOnce(
  url: string,
  { method = 'GET', headers = {} }: { method?: 'GET' | 'HEAD'; headers?: Record<string, string> } = {},
): Promise<Received> {
  const { origin, pathname, search } = new URL(url);
  const client = new Client(origin);
  const pieces: Buffer[] = [];
  let status = 0;
  let received: Record<string, string> = {};
  try {
    const answer = await client.request({ method, path: pathname + search, headers, reset: true });
    status = answer.statusCode;
    received = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]));
    for await (const piece of answer.body) pieces.push(piece);
    return { status, headers: received, body: Buffer.concat(pieces), whole: true };
  } catch {
    return { status, headers: received, body: Buffer.concat(pieces), whole: false };
  } finally {
    await client.destroy();
  }
}

/** The migration's word on an asset: its log line, past or to come. */
export async function settled(proxy: LazyferryProcess, path: string): Promise<{ stored: boolean; reason: unknown }> {
  const line = await proxy.logged((candidate) => isSettlementOf(candidate, path));
  return { stored: line.event === 'stored', reason: line.reason };
}

function isSettlementOf({ event, asset }: LazyferryProcess['logs'][number], path: string): boolean {
  const { mapping, path: rest } = (asset ?? {}) as { mapping?: string; path?: string };
  return (event === 'stored' || event === 'not-stored') && `${mapping}${rest}` === path;
}

/** Resolves once the asset's migration has come to an end that many times. */
export async function settledTimes(proxy: LazyferryProcess, path: string, times: number): Promise<void> {
  let seen = 0;
  const counted = new Set<unknown>();
  await proxy.logged((line) => {
    if (!counted.has(line) && isSettlementOf(line, path)) {
      counted.add(line);
      seen += 1;
    }
    return seen >= times;
  });
}

/** What `GET /api/explain` says of the asset at a delivery path. */
export async function recordOf(proxy: LazyferryProcess, path: string): Promise<Record<string, unknown> | null> {
  const answer = await fetch(`${proxy.admin}/api/explain?path=${encodeURIComponent(path)}`);
  return ((await answer.json()) as { record: Record<string, unknown> | null }).record;
}

/** Asks the admin API to change assets now, and waits for its word. */
export async function change(
  proxy: LazyferryProcess,
  action: 'retry' | 'purge' | 'tombstone',
  body: object,
): Promise<unknown> {
  const answer = await fetch(`${proxy.admin}/api/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-lazyferry-request': '1' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${action}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
