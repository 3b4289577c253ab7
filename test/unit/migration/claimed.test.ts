import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Asset } from '../../../src/asset/asset.ts';
import { type Claim, type Ledger, LedgerUnavailable, type Settlement } from '../../../src/ledger/ledger.ts';
import { openSqliteLedger } from '../../../src/ledger/sqlite/sqlite-ledger.ts';
import { type Attempt, Claimed } from '../../../src/migration/claimed.ts';

const key = { mapping: '/images/', path: 'a.jpg', query: '' };
const asset: Asset = {
  key,
  originUrl: 'https://www.example.com/a.jpg',
  publicId: 'images/a_jpg',
  resourceType: 'image',
  deliveryType: 'upload',
  filename: 'a.jpg',
};
const failed: Settlement = { state: 'failed', reason: 'origin-error', detail: 'seen', retryInMs: 60_000 };

let directory: string;
let ledger: Ledger;
let clock: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lazyferry-claimed-'));
  clock = 1_000_000;
  ledger = openSqliteLedger({ path: join(directory, 'ledger.db'), now: () => clock });
});

afterEach(async () => {
  await ledger.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Case {
  readonly attempt?: Attempt;
  readonly signal?: AbortSignal;
  readonly leaseMs?: number;
  readonly onLost?: (claim: Claim) => void;
  readonly owner?: string;
  readonly settleAgainAfterMs?: readonly number[];
}

function claimed({ attempt = async () => failed, ...rest }: Case = {}): Claimed {
  return new Claimed({ ledger, owner: 'me', leaseMs: 30_000, signal: new AbortController().signal, attempt, ...rest });
}

test('the winner attempts, and the ledger holds what came of it', async () => {
  const outcome = await claimed().migrate({ asset });
  expect(outcome).toMatchObject({ kind: 'failed', reason: 'origin-error', record: { failure: { attempts: 1 } } });
  expect((await ledger.lookup(key))?.state).toBe('failed');
});

test('the loser steps back at once, and nothing is attempted twice', async () => {
  const going = Promise.withResolvers<Settlement>();
  const first = claimed({ attempt: () => going.promise }).migrate({ asset });
  await vi.waitUntil(async () => (await ledger.lookup(key))?.state === 'claimed');
  const attempt = vi.fn<Attempt>();
  expect(await claimed({ attempt, owner: 'other' }).migrate({ asset })).toMatchObject({ kind: 'held' });
  going.resolve(failed);
  await first;
  expect(await claimed({ attempt, owner: 'other' }).migrate({ asset })).toMatchObject({ kind: 'settled' });
  expect(attempt).not.toHaveBeenCalled();
});

test('who was replaced cannot settle, and is told that its claim is lost', async () => {
  const going = Promise.withResolvers<Settlement>();
  const lost = Promise.withResolvers<Claim>();
  const slow = claimed({ attempt: () => going.promise, leaseMs: 30, onLost: lost.resolve }).migrate({ asset });
  await vi.waitUntil(async () => (await ledger.lookup(key))?.state === 'claimed');
  clock += 1_000_000;
  expect(await claimed({ owner: 'other' }).migrate({ asset })).toMatchObject({ kind: 'failed' });
  await lost.promise;
  going.resolve({ ...failed, reason: 'too-large' });
  expect(await slow).toEqual({ kind: 'postponed', why: 'superseded' });
  expect((await ledger.lookup(key))?.failure?.reason).toBe('origin-error');
});

test('the lease is renewed while the attempt lives', async () => {
  const going = Promise.withResolvers<Settlement>();
  const slow = claimed({ attempt: () => going.promise, leaseMs: 30 }).migrate({ asset });
  await vi.waitUntil(async () => (await ledger.lookup(key))?.state === 'claimed');
  clock += 20;
  await vi.waitUntil(async () => (await ledger.lookup(key))?.claim?.leaseUntil === clock + 30);
  going.resolve(failed);
  await slow;
});

test('a stop gives the claim back, so that another process can start at once', async () => {
  const stop = new AbortController();
  const attempt: Attempt = async (_, { signal }) => {
    stop.abort(new Error('stopping'));
    throw signal.reason;
  };
  const outcome = await claimed({ attempt, signal: stop.signal }).migrate({ asset });
  expect(outcome).toEqual({ kind: 'postponed', why: 'stopping' });
  expect((await ledger.lookup(key))?.state).toBe('known');
});

test('a bug in an attempt gives the claim back and is not hidden', async () => {
  const attempt: Attempt = () => Promise.reject(new TypeError('a bug'));
  await expect(claimed({ attempt }).migrate({ asset })).rejects.toThrow('a bug');
  expect((await ledger.lookup(key))?.state).toBe('known');
});

test.each(['claim', 'lookup'] as const)(
  'a ledger that is down at %s postpones, and is nobody’s error',
  async (method) => {
    vi.spyOn(ledger, method).mockRejectedValueOnce(new LedgerUnavailable('down'));
    expect(await claimed().migrate({ asset })).toEqual({ kind: 'postponed', why: 'ledger-down' });
  },
);

test('a settlement that the ledger does not take at once is offered again', async () => {
  const settle = vi.spyOn(ledger, 'settle').mockRejectedValueOnce(new LedgerUnavailable('down'));
  expect(await claimed({ settleAgainAfterMs: [1, 1] }).migrate({ asset })).toMatchObject({ kind: 'failed' });
  expect(settle).toHaveBeenCalledTimes(2);
});

test('a ledger that stays down at settle postpones, and is nobody’s error', async () => {
  vi.spyOn(ledger, 'settle').mockRejectedValue(new LedgerUnavailable('down'));
  const outcome = await claimed({ settleAgainAfterMs: [1, 1] }).migrate({ asset });
  expect(outcome).toEqual({ kind: 'postponed', why: 'ledger-down' });
});

test('a ledger that is down at a renewal does not end the upload', async () => {
  const renewed = Promise.withResolvers<void>();
  vi.spyOn(ledger, 'renew').mockImplementation(async () => {
    renewed.resolve();
    throw new LedgerUnavailable('down');
  });
  const attempt: Attempt = () => renewed.promise.then(() => failed);
  expect(await claimed({ attempt, leaseMs: 30 }).migrate({ asset })).toMatchObject({ kind: 'failed' });
});
