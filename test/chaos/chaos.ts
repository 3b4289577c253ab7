import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { openRedisLedger } from '../../src/ledger/redis/redis-ledger.ts';
import { startChaosOrigin } from '../support/chaos-origin.ts';
import { proxyConfig } from '../support/proxy-config.ts';
import { type RecordingStore, startRecordingStore } from '../support/recording-store.ts';
import { type ChaosAsset, putAssets } from './assets.ts';
import { type ClientCounts, startClients } from './clients.ts';
import { grounds, moody, processDisasters } from './faults.ts';
import { Seat } from './seat.ts';

export interface ChaosOptions {
  readonly ground: keyof typeof grounds;
  readonly assets: number;
  /** How long disasters go on. */
  readonly seconds: number;
  readonly processes?: number;
  readonly clients?: number;
}

export interface ChaosReport {
  readonly assets: number;
  readonly clients: Omit<ClientCounts, 'wrong'>;
  readonly disasters: Readonly<Record<string, number>>;
  /** Answers of ours that nobody may get. */
  readonly wrong: readonly string[];
  readonly uploads: UploadCounts;
  /** Public IDs at the store whose content is not the origin's, that are missing, or that nobody asked for. */
  readonly storeDiffers: readonly string[];
  /** What the ledger counts at the end, by state. */
  readonly ledger: Readonly<Record<string, number>>;
  readonly leaks: readonly string[];
  /** Exit codes of the processes at the end. */
  readonly exits: readonly (number | null)[];
}

interface UploadCounts {
  readonly requests: number;
  /** Made an asset. */
  readonly created: number;
  /** The public ID was taken: nothing was made, and the answer says what is there. */
  readonly existing: number;
  /** The store was in a bad mood. */
  readonly failed: number;
  /** Requests beyond one for each asset that the store did not make fail: what kills, pauses and losses cost. */
  readonly extra: number;
  readonly mostAtATime: number;
  /** Assets made more than once. */
  readonly twice: readonly string[];
}

/**
 * Runs a fleet under load while everything around it fails, then lets it come to rest and takes stock at the store,
 * the origin and the ledger; never inside the proxy.
 */
export async function chaos({ ground, assets: count, seconds, ...options }: ChaosOptions): Promise<ChaosReport> {
  await using cleanup = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'lazyferry-chaos-'));
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }));
  const origin = cleanup.use(await startChaosOrigin());
  const assets = putAssets(origin, count);
  const store = await startRecordingStore(join(folder, 'store'));
  let closing: Promise<void> | undefined;
  const closeStore = () => {
    closing ??= Promise.resolve(store[Symbol.asyncDispose]());
    return closing;
  };
  cleanup.defer(closeStore);
  const ledger = await grounds[ground]();
  cleanup.defer(() => ledger.stop());
  const config = proxyConfig(
    {
      store: { uploadPrefix: store.url, deliveryPrefix: store.url },
      ledger: { url: ledger.url, lease: '1s', memoryTtl: '2s' },
      shutdown: { grace: '5s' },
      mappings: [{ prefix: '/img/', origin: `${origin.url}/img/`, network: { allowPrivate: true } }],
    },
    { keep: true },
  );
  cleanup.defer(() => rmSync(join(config, '..'), { recursive: true, force: true }));
  const seats = Array.from({ length: options.processes ?? 4 }, (_, index) =>
    cleanup.use(
      new Seat({
        args: ['--config', config],
        dataDirectory: join(folder, `seat-${index}`),
        environment: { CLOUDINARY_URL: store.account },
      }),
    ),
  );
  await Promise.all(seats.map((seat) => seat.start()));

  const clients = startClients(seats, assets, options.clients ?? 12);
  store.intervene(() => moody(Math.random));
  const disasters = await strike(seats, ledger.disasters, seconds * 1_000);
  store.intervene(undefined);
  await clients.stop();

  await comeToRest(seats, assets);
  const counted = await countAssets(ledger.url);
  const spools = seats.flatMap((_, index) => filesIn(join(folder, `seat-${index}`, 'spool')));
  const exits = await Promise.all(seats.map((seat) => seat.stop()));
  const storeDiffers = await compareStore(store, assets);
  // It reads the origin too, and keeps connections.
  await closeStore();
  const drained = await Promise.race([origin.drained().then(() => true), delay(5_000, false)]);
  const { wrong, ...asked } = clients.counts;
  return {
    assets: count,
    clients: asked,
    disasters,
    wrong,
    uploads: uploadsOf(store, assets),
    storeDiffers,
    ledger: counted,
    leaks: [...spools, ...(drained ? [] : [`${origin.openSockets} connections to the origin`])],
    exits,
  };
}

/** One disaster after the other, each kind in its turn, a process's and the ledger's side by side. */
async function strike(
  seats: readonly Seat[],
  ledgerDisasters: Readonly<Record<string, () => Promise<void>>>,
  forMs: number,
): Promise<Record<string, number>> {
  const struck: Record<string, number> = {};
  const until = performance.now() + forMs;
  const series = async (disasters: readonly (readonly [string, () => Promise<unknown>])[], restMs: number) => {
    for (let turn = 0; performance.now() < until; turn += 1) {
      const [name, strikeOnce] = disasters[turn % disasters.length] ?? ['', async () => {}];
      await strikeOnce();
      struck[name] = (struck[name] ?? 0) + 1;
      await delay(restMs);
    }
  };
  const ofProcesses = Object.entries(processDisasters).map(([name, hit], index) => {
    let turn = index;
    return [
      name,
      () => {
        turn += 1;
        return hit(seats[turn % seats.length] as Seat);
      },
    ] as const;
  });
  await Promise.all([series(ofProcesses, 500), series(Object.entries(ledgerDisasters), 2_000)]);
  return struck;
}

/** Asks for everything, and lets an operator retry what failed, until each process leads to the copy of each asset. */
async function comeToRest(seats: readonly Seat[], assets: readonly ChaosAsset[]): Promise<void> {
  const deadline = performance.now() + 120_000;
  let cold = assets.flatMap((asset) => seats.map((seat) => ({ seat, asset })));
  while (cold.length > 0) {
    if (performance.now() > deadline) throw new Error(`${cold.length} answers still come from the origin`);
    const next: typeof cold = [];
    for (let index = 0; index < cold.length; index += 50) {
      await Promise.all(
        cold.slice(index, index + 50).map(async (pair) => {
          const { statusCode, body } = await request(`${pair.seat.process?.delivery}${pair.asset.path}`);
          await body.dump();
          if (statusCode !== 302) next.push(pair);
        }),
      );
    }
    cold = next;
    if (cold.length === 0) return;
    const { body } = await request(`${seats[0]?.process?.admin}/api/retry`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ filter: {} }),
    });
    await body.dump();
    await delay(500);
  }
}

async function countAssets(url: string): Promise<Record<string, number>> {
  const ledger = openRedisLedger({ url });
  try {
    return { ...(await ledger.tally())[0]?.states };
  } finally {
    await ledger.close();
  }
}

function uploadsOf(store: RecordingStore, assets: readonly ChaosAsset[]): UploadCounts {
  const answered = store.uploads.filter(({ answer }) => answer?.status === 200);
  const existing = answered.filter(({ answer }) => answer?.existing).length;
  const made = new Map<string, number>();
  for (const { publicId, answer } of answered) {
    if (answer?.existing === false) made.set(publicId, (made.get(publicId) ?? 0) + 1);
  }
  const requests = store.uploads.length;
  const failed = requests - answered.length;
  return {
    requests,
    created: answered.length - existing,
    existing,
    failed,
    extra: requests - failed - assets.length,
    mostAtATime: store.mostAtATime,
    twice: [...made].filter(([, times]) => times > 1).map(([publicId]) => publicId),
  };
}

async function compareStore(store: RecordingStore, assets: readonly ChaosAsset[]): Promise<string[]> {
  const found = await listStore(store);
  const differs = assets.filter(({ publicId, md5 }) => found.get(publicId) !== md5).map(({ publicId }) => publicId);
  const wanted = new Set(assets.map(({ publicId }) => publicId));
  return [...differs, ...[...found.keys()].filter((publicId) => !wanted.has(publicId))];
}

/** Public IDs and digests, by the Admin API. */
async function listStore({ account, url }: RecordingStore): Promise<Map<string, string>> {
  const { username, password, host } = new URL(account);
  const authorization = `Basic ${btoa(`${username}:${password}`)}`;
  const found = new Map<string, string>();
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const page = `${url}/v1_1/${host}/resources/image/upload?max_results=500${cursor === '' ? '' : `&next_cursor=${cursor}`}`;
    const { body } = await request(page, { headers: { authorization } });
    const list = (await body.json()) as { resources: { public_id: string; etag: string }[]; next_cursor?: string };
    for (const { public_id: publicId, etag } of list.resources) found.set(publicId, etag);
    cursor = list.next_cursor;
  }
  return found;
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}
