import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Asset } from '../../../src/asset/asset.ts';
import type { AssetKey } from '../../../src/asset/key.ts';
import { type Ledger, LedgerUnavailable, type Settlement } from '../../../src/ledger/ledger.ts';
import { openSqliteLedger } from '../../../src/ledger/sqlite/sqlite-ledger.ts';
import { Claimed } from '../../../src/migration/claimed.ts';
import type { MigrationOutcome, MigrationRequest } from '../../../src/migration/migrator.ts';
import { type SweepEvent, Sweeper } from '../../../src/migration/sweeper.ts';

const failed = (retryInMs: number, state: 'failed' | 'missing' = 'failed'): Settlement => ({
  state,
  reason: state === 'failed' ? 'origin-error' : 'origin-not-found',
  detail: 'seen',
  retryInMs,
});

let directory: string;
let clock: number;
let ledger: Ledger;
let stop: AbortController;
const running: Promise<void>[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lazyferry-sweeper-'));
  clock = 1_000_000;
  ledger = openSqliteLedger({ path: join(directory, 'ledger.db'), now: () => clock });
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await Promise.all(running.splice(0));
  await ledger.close();
  rmSync(directory, { recursive: true, force: true });
});

function assetOf(key: AssetKey): Asset {
  const originUrl = `https://www.example.com/${key.path}`;
  return { key, originUrl, publicId: key.path, resourceType: 'image', deliveryType: 'upload', filename: key.path };
}

interface Scene {
  readonly migrate?: (request: MigrationRequest) => Promise<MigrationOutcome>;
  readonly owner?: string;
  readonly concurrency?: number;
  readonly knows?: (key: AssetKey) => boolean;
  readonly observe?: (event: SweepEvent) => void;
}

/** A sweeper whose jobs claim in the real ledger and fail again after an hour, and the paths it took up. */
function sweep({ owner = 'me', concurrency = 2, knows = () => true, observe = () => {}, ...scene }: Scene = {}) {
  const taken: string[] = [];
  const claimed = new Claimed({
    ledger,
    owner,
    leaseMs: 30_000,
    signal: stop.signal,
    attempt: async () => failed(3_600_000),
  });
  const sweeper = new Sweeper({
    ledger,
    owner,
    concurrency,
    observe,
    assetOf: (key) => (knows(key) ? assetOf(key) : undefined),
    idle: { keepMs: 3_600_000, most: 250 },
    restMs: 5,
    random: () => 0.5,
    migrator: {
      migrate: (request) => {
        taken.push(request.asset.key.path);
        return (scene.migrate ?? ((asked) => claimed.migrate(asked)))(request);
      },
    },
  });
  running.push(sweeper.run(stop.signal));
  return { sweeper, taken };
}

async function claim(path: string, leaseMs = 30_000) {
  const key = { mapping: '/images/', path, query: '' };
  const result = await ledger.claim({ key, originUrl: assetOf(key).originUrl, owner: 'dead', leaseMs });
  if (result.kind !== 'won') throw new Error(`the claim was ${result.kind}`);
  return result.claim;
}

async function stateOf(path: string): Promise<string | undefined> {
  return (await ledger.lookup({ mapping: '/images/', path, query: '' }))?.failure?.reason;
}

test('failures whose time has come and claims whose owner died are taken up without any request; nothing else is', async () => {
  await ledger.settle(await claim('due.jpg'), failed(10));
  await ledger.settle(await claim('later.jpg'), failed(3_600_000));
  await ledger.settle(await claim('missing.jpg'), failed(10, 'missing'));
  await claim('died.jpg', 10);
  await claim('alive.jpg');
  clock += 20;
  const { taken } = sweep();
  await vi.waitUntil(async () => (await stateOf('due.jpg')) && (await stateOf('died.jpg')));
  expect(taken.toSorted()).toEqual(['died.jpg', 'due.jpg']);
});

test('one process of two sweeps; the other takes over when it is gone', async () => {
  const duties: string[] = [];
  const first = new AbortController();
  const both = stop;
  stop = first;
  sweep({ owner: 'one', observe: ({ kind }) => kind === 'duty' && duties.push('one') });
  await vi.waitUntil(() => duties.length > 0);
  stop = both;
  const other = sweep({ owner: 'other', observe: ({ kind }) => kind === 'duty' && duties.push('other') });
  await ledger.settle(await claim('due.jpg'), failed(0));
  await vi.waitUntil(
    async () =>
      (await ledger.lookup(assetOf({ mapping: '/images/', path: 'due.jpg', query: '' }).key))?.failure?.attempts === 2,
  );
  expect(other.taken).toEqual([]);
  first.abort();
  await running[0];
  clock += 21;
  await vi.waitUntil(() => duties.includes('other'));
  await ledger.settle(await claim('later.jpg'), failed(0));
  await vi.waitUntil(() => other.taken.includes('later.jpg'));
});

test('no more jobs run at a time than the sweep may have', async () => {
  for (let index = 0; index < 10; index += 1) await ledger.settle(await claim(`${index}.jpg`), failed(0));
  const ends: (() => void)[] = [];
  let most = 0;
  let now = 0;
  const { taken } = sweep({
    concurrency: 3,
    migrate: async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise<void>((resolve) => ends.push(resolve));
      now -= 1;
      return { kind: 'postponed', why: 'origin-down' };
    },
  });
  while (new Set(taken).size < 10) {
    await vi.waitUntil(() => ends.length > 0);
    ends.shift()?.();
  }
  expect(most).toBe(3);
  const finish = setInterval(() => {
    for (const end of ends.splice(0)) end();
  }, 1);
  stop.abort();
  await running[0];
  clearInterval(finish);
});

test('assets that nothing can be done for do not hide those behind them', async () => {
  for (let index = 0; index < 120; index += 1) await ledger.settle(await claim(`gone-${index}.jpg`), failed(0));
  clock += 1;
  await ledger.settle(await claim('last.jpg'), failed(0));
  const { taken } = sweep({ knows: ({ path }) => path === 'last.jpg' });
  await vi.waitUntil(() => taken.includes('last.jpg'));
});

test('while the store is down, one look is enough: the rest is left for the next sweep', async () => {
  for (let index = 0; index < 50; index += 1) await ledger.settle(await claim(`${index}.jpg`), failed(0));
  let sweeps = 0;
  const asked = vi.spyOn(ledger, 'due').mockImplementationOnce(ledger.due.bind(ledger));
  const { taken } = sweep({
    concurrency: 1,
    migrate: async () => {
      sweeps = asked.mock.calls.length;
      return { kind: 'postponed', why: 'store-down' };
    },
  });
  await vi.waitUntil(() => asked.mock.calls.length >= 3);
  expect(taken.length).toBeLessThanOrEqual(sweeps * 2);
});

test('a ledger that is down is told of, and swept again when it is back', async () => {
  const away = vi.spyOn(ledger, 'takeDuty').mockRejectedValue(new LedgerUnavailable('the ledger is away'));
  const { sweeper } = sweep();
  await vi.waitUntil(() => sweeper.trouble === 'the ledger is away');
  away.mockRestore();
  await vi.waitUntil(() => sweeper.trouble === undefined);
});

test('more idle assets than the bound allows are dropped at once, the rest when they are old', async () => {
  for (let index = 0; index < 700; index += 1) {
    await ledger.settle(await claim(`no-${index}.jpg`), failed(0, 'missing'));
  }
  const dropped: number[] = [];
  const left = async () => (await ledger.tally())[0]?.states.missing ?? 0;
  sweep({ observe: (event) => event.kind === 'dropped' && dropped.push(event.assets) });
  await vi.waitUntil(async () => (await left()) === 250);
  expect(dropped).toEqual([200, 200, 50]);
  clock += 3_600_001;
  await vi.waitUntil(async () => (await left()) === 0);
});
