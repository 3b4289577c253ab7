import { expect, test } from 'vitest';
import type { Asset } from '../../../src/asset/asset.ts';
import type { Reason } from '../../../src/asset/reason.ts';
import { type BreakerChange, Guarded } from '../../../src/migration/guarded.ts';
import type { MigrationOutcome } from '../../../src/migration/migrator.ts';

function assetOf(host = 'www.example.com'): Asset {
  const key = { mapping: '/images/', path: 'a.jpg', query: '' };
  const originUrl = `https://${host}/a.jpg`;
  return { key, originUrl, publicId: 'a', resourceType: 'image', deliveryType: 'upload', filename: 'a.jpg' };
}

const record = {
  key: assetOf().key,
  originUrl: assetOf().originUrl,
  state: 'failed',
  failure: { reason: 'store-auth', detail: 'the store answered 401', attempts: 1, retryAt: 0 },
  createdAt: 0,
  updatedAt: 0,
} as const;
const stored: MigrationOutcome = { kind: 'stored', record: { ...record, state: 'stored' } };
const failed = (reason: Reason): MigrationOutcome => ({ kind: 'failed', reason, record });
const refusedByStore = { kind: 'postponed', why: 'store-down' };
const refusedByOrigin = { kind: 'postponed', why: 'origin-down' };

/** Jobs end as the scene says; time passes when it says so. */
class Scene {
  clock = 0;
  begun = 0;
  next: MigrationOutcome | Promise<MigrationOutcome> = stored;
  readonly changes: BreakerChange[] = [];
  readonly guarded = new Guarded(
    {
      migrate: async () => {
        this.begun += 1;
        return this.next;
      },
    },
    { now: () => this.clock, onChange: (change) => this.changes.push(change) },
  );

  async run(outcome: MigrationOutcome, times = 1, host?: string): Promise<void> {
    this.next = outcome;
    for (let time = 0; time < times; time += 1) await this.guarded.migrate({ asset: assetOf(host) });
  }

  ask(host?: string): Promise<MigrationOutcome> {
    return this.guarded.migrate({ asset: assetOf(host) });
  }
}

test('a store that fails five times in a row is left alone, until one job finds it well', async () => {
  const scene = new Scene();
  await scene.run(failed('store-unreachable'), 4);
  await scene.run(stored);
  await scene.run(failed('store-unreachable'), 5);
  expect(await scene.ask()).toEqual(refusedByStore);
  expect(scene.begun).toBe(10);
  expect(scene.guarded.open()).toMatchObject([{ target: 'store', reason: 'store-unreachable' }]);

  scene.clock += 5_000;
  await scene.run(stored);
  expect(await scene.ask()).toEqual(stored);
  expect(scene.changes.map(({ target, open }) => [target, open])).toEqual([
    ['store', true],
    ['store', false],
  ]);
});

test('one refusal of the credentials is enough, and says what the store said', async () => {
  const scene = new Scene();
  await scene.run(failed('store-auth'));
  expect(await scene.ask()).toEqual(refusedByStore);
  expect(scene.changes).toEqual([
    { target: 'store', open: true, reason: 'store-auth', detail: 'the store answered 401' },
  ]);
});

test('while one job tries, the others wait for its verdict; each failure doubles the rest', async () => {
  const scene = new Scene();
  await scene.run(failed('store-auth'));
  scene.clock += 5_000;
  const probe = Promise.withResolvers<MigrationOutcome>();
  scene.next = probe.promise;
  const trying = scene.ask();
  expect(await scene.ask()).toEqual(refusedByStore);
  probe.resolve(failed('store-unreachable'));
  await trying;
  scene.clock += 9_999;
  expect(await scene.ask()).toEqual(refusedByStore);
  scene.clock += 1;
  await scene.run(stored);
  expect(scene.guarded.open()).toEqual([]);
});

test('a job that never asked the store is no verdict on it, and leaves the try to the next one', async () => {
  const scene = new Scene();
  await scene.run(failed('store-auth'));
  scene.clock += 5_000;
  await scene.run(failed('origin-not-found'));
  expect(scene.guarded.open()).toHaveLength(1);
  await scene.run({ kind: 'held', record });
  await scene.run(stored);
  expect(scene.guarded.open()).toEqual([]);
});

test('an origin that only fails is left alone, and no other one with it', async () => {
  const scene = new Scene();
  await scene.run(failed('origin-timeout'), 10);
  expect(await scene.ask()).toEqual(refusedByOrigin);
  scene.next = stored;
  expect(await scene.ask('other.example.com')).toEqual(stored);
});

test('an origin that says "not found" is alive', async () => {
  const scene = new Scene();
  await scene.run(failed('origin-error'), 9);
  await scene.run(failed('origin-not-found'));
  await scene.run(failed('origin-error'), 9);
  expect(scene.guarded.open()).toEqual([]);
});

test('paths that fail each time they are tried again say nothing of an origin that serves the others', async () => {
  const scene = new Scene();
  const again: MigrationOutcome = {
    kind: 'failed',
    reason: 'origin-error',
    record: { ...record, failure: { ...record.failure, reason: 'origin-error', attempts: 2 } },
  };
  await scene.run(again, 50);
  expect(scene.guarded.open()).toEqual([]);

  await scene.run(failed('origin-error'), 10);
  scene.clock += 5_000;
  await scene.run(again);
  await scene.run(stored);
  expect(scene.guarded.open()).toEqual([]);
});
