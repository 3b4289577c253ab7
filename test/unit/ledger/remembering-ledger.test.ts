import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type AssetKey, encodeAssetKey } from '../../../src/asset/key.ts';
import { FailingFastLedger } from '../../../src/ledger/failing-fast-ledger.ts';
import { type Ledger, type LedgerNews, LedgerUnavailable } from '../../../src/ledger/ledger.ts';
import { RememberingLedger } from '../../../src/ledger/remembering-ledger.ts';
import { openSqliteLedger } from '../../../src/ledger/sqlite/sqlite-ledger.ts';
import { failedFor, keyOf, requestFor, storedAs } from '../../contract/ledger-samples.ts';

const key = keyOf('a.jpg');

/** A real ledger that the test can cut off, and whose lookups it counts. */
class Line {
  readonly real: Ledger;
  readonly asked: string[] = [];
  cut = false;
  /** As a Redis that is out of memory: what is known is told, nothing can be written. */
  full = false;
  /** As a Cluster that has lost a node: it answers, but not what it is asked. */
  maimed = false;
  writesTried = 0;
  lookupsTried = 0;
  readonly #listeners = new Set<(news: LedgerNews) => void>();
  /** Runs between the lookup and its answer. */
  beforeAnswer: () => Promise<void> = async () => {};

  constructor(real: Ledger) {
    this.real = real;
  }

  tell(news: LedgerNews): void {
    for (const listener of this.#listeners) listener(news);
  }

  get ledger(): Ledger {
    const through = async <Result>(step: () => Promise<Result>) => {
      if (this.cut) throw new LedgerUnavailable('cut by the test');
      return step();
    };
    const written = <Result>(step: () => Promise<Result>) =>
      through(() => {
        this.writesTried += 1;
        if (this.full) throw new LedgerUnavailable('full by the test');
        return step();
      });
    const { real } = this;
    return {
      lookup: (asked) =>
        through(async () => {
          this.lookupsTried += 1;
          if (this.maimed) throw new LedgerUnavailable('maimed by the test');
          this.asked.push(asked.path);
          const record = await real.lookup(asked);
          await this.beforeAnswer();
          return record;
        }),
      claim: (request) => written(() => real.claim(request)),
      renew: (claim, leaseMs) => written(() => real.renew(claim, leaseMs)),
      settle: (claim, settlement) => written(() => real.settle(claim, settlement)),
      release: (claim) => written(() => real.release(claim)),
      tombstone: (asked, originUrl) => written(() => real.tombstone(asked, originUrl)),
      forget: (asked) => written(() => real.forget(asked)),
      query: (query) => through(() => real.query(query)),
      due: (limit) => through(() => real.due(limit)),
      dropIdle: (rule, limit) => written(() => real.dropIdle(rule, limit)),
      tally: () => through(() => real.tally()),
      restore: (record) => written(() => real.restore(record)),
      takeDuty: (request) => written(() => real.takeDuty(request)),
      pause: (forMs) => written(() => real.pause(forMs)),
      pausedFor: () => through(() => real.pausedFor()),
      ping: () => through(() => real.ping()),
      subscribe: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      close: () => real.close(),
    };
  }
}

let folder: string;
let line: Line;
let failingFast: FailingFastLedger;
let ledger: RememberingLedger;
let warnings: string[];
let warned: () => void;

beforeEach(async () => {
  warnings = [];
  warned = () => {};
  folder = await mkdtemp(join(tmpdir(), 'lazyferry-memory-'));
  line = new Line(openSqliteLedger({ path: join(folder, 'ledger.db'), now: () => Date.now() }));
  failingFast = new FailingFastLedger(line.ledger, {
    firstProbeMs: 5,
    warn: (message) => {
      warnings.push(message);
      warned();
    },
  });
  ledger = new RememberingLedger(failingFast, { capacity: 100, ttlMs: 60_000 });
});

afterEach(async () => {
  vi.useRealTimers();
  await ledger.close();
  await rm(folder, { recursive: true });
});

async function settle(asset: AssetKey, settlement = storedAs('a')): Promise<void> {
  const result = await line.real.claim(requestFor(asset, { redo: 'refresh' }));
  if (result.kind !== 'won') throw new Error(`expected to win, it was ${result.kind}`);
  await line.real.settle(result.claim, settlement);
}

const peek = () => ledger.peek(encodeAssetKey(key));

describe('memory in front of a ledger', () => {
  test('answers a known copy without asking again', async () => {
    await settle(key);
    expect(peek()).toBeUndefined();
    await ledger.lookup(key);
    expect(peek()?.state).toBe('stored');
    expect(await ledger.lookup(key)).toEqual(peek());
    expect(line.asked).toEqual(['a.jpg']);
  });

  test('asks once for many who ask at the same time', async () => {
    await settle(key);
    const records = await Promise.all(Array.from({ length: 50 }, () => ledger.lookup(key)));
    expect(new Set(records.map((record) => record?.state))).toEqual(new Set(['stored']));
    expect(line.asked).toEqual(['a.jpg']);
  });

  test('never remembers a claim, nor that nothing is known', async () => {
    await ledger.lookup(key);
    expect(peek()).toBeUndefined();
    await ledger.claim(requestFor(key));
    expect((await ledger.lookup(key))?.state).toBe('claimed');
    expect(peek()).toBeUndefined();
  });

  test('takes no more room for the longest paths, or for origins that say a lot, than for usual ones', async () => {
    const room = 100 * 2_048;
    const long = (index: number) => keyOf(`${String(index).padStart(8_000, 'x')}.jpg`);
    const wordy = (index: number) => keyOf(`wordy-${index}.jpg`);
    const usual = (index: number) => keyOf(`usual-${index}.jpg`);
    const settled = storedAs('a');
    const many = { ...settled, origin: { cacheControl: 'a'.repeat(15_000) } } as typeof settled;
    const remembered = async (name: (index: number) => AssetKey, settlement = settled) => {
      const keys = Array.from({ length: 100 }, (_, index) => name(index));
      for (const asset of keys) {
        await settle(asset, settlement);
        await ledger.lookup(asset);
      }
      return keys.filter((asset) => ledger.peek(encodeAssetKey(asset)) !== undefined).length;
    };
    expect(await remembered(long)).toBeLessThanOrEqual(room / (4 * 8_000));
    expect(await remembered(wordy, many)).toBeLessThanOrEqual(room / 15_000);
    expect(await remembered(usual)).toBe(100);
  });

  test('asks again when its time is over', async () => {
    await settle(key);
    vi.useFakeTimers();
    await ledger.lookup(key);
    vi.advanceTimersByTime(59_999);
    expect(peek()?.state).toBe('stored');
    vi.advanceTimersByTime(1);
    expect(peek()).toBeUndefined();
  });

  test.each(['failed', 'missing'] as const)('forgets that an asset is %s when it may be tried again', async (state) => {
    vi.useFakeTimers({ now: Date.now() });
    await settle(key, failedFor(5_000, state));
    await ledger.lookup(key);
    vi.advanceTimersByTime(4_999);
    expect(peek()?.state).toBe(state);
    vi.advanceTimersByTime(1);
    expect(peek()).toBeUndefined();
  });

  test('forgets what it changes itself', async () => {
    await settle(key);
    await ledger.lookup(key);
    await ledger.tombstone(key, 'https://origin.test/static/a.jpg');
    expect(peek()).toBeUndefined();
    expect((await ledger.lookup(key))?.state).toBe('tombstoned');
    await ledger.forget(key);
    expect(peek()).toBeUndefined();
  });

  test('forgets an asset when another process changed it', async () => {
    await settle(key);
    await ledger.lookup(key);
    line.tell({ key: keyOf('other.jpg') });
    expect(peek()).toBeDefined();
    line.tell({ key });
    expect(peek()).toBeUndefined();
  });

  test.each([{ key }, {}])('does not remember an answer that news %j overtook on its way', async (news) => {
    await settle(key);
    line.beforeAnswer = async () => line.tell(news);
    await ledger.lookup(key);
    expect(peek()).toBeUndefined();
  });

  test('remembers no more than its capacity', async () => {
    const small = new RememberingLedger(failingFast, { capacity: 2, ttlMs: 60_000 });
    const keys = ['1.jpg', '2.jpg', '3.jpg'].map((path) => keyOf(path));
    for (const asset of keys) {
      await settle(asset);
      await small.lookup(asset);
    }
    expect(keys.map((asset) => small.peek(encodeAssetKey(asset)) !== undefined)).toEqual([false, true, true]);
  });

  test('can be switched off', async () => {
    const none = new RememberingLedger(failingFast, { capacity: 0, ttlMs: 60_000 });
    await settle(key);
    expect((await none.lookup(key))?.state).toBe('stored');
    expect(none.peek(encodeAssetKey(key))).toBeUndefined();
  });
});

describe('while the ledger is down', () => {
  async function cut(): Promise<void> {
    line.cut = true;
    await expect(ledger.lookup(keyOf('never-seen.jpg'))).rejects.toThrow(LedgerUnavailable);
  }

  test('known copies are served on, however old the memory', async () => {
    await settle(key);
    vi.useFakeTimers({ toFake: ['performance'] });
    await ledger.lookup(key);
    await cut();
    vi.advanceTimersByTime(3_600_000);
    expect(peek()?.state).toBe('stored');
    expect((await ledger.lookup(key))?.state).toBe('stored');
  });

  test('known copies are served on even after news that anything may have changed', async () => {
    await settle(key);
    await ledger.lookup(key);
    line.tell({});
    expect(peek()).toBeUndefined();
    await cut();
    expect(peek()?.state).toBe('stored');
  });

  test('a copy that was changed is not served on: it may have been removed', async () => {
    await settle(key);
    await ledger.lookup(key);
    line.tell({ key });
    await cut();
    expect(peek()).toBeUndefined();
  });

  test('an old failure is not served on', async () => {
    await settle(key, failedFor(60_000, 'missing'));
    await ledger.lookup(key);
    line.tell({});
    await cut();
    expect(peek()).toBeUndefined();
  });

  test('nobody waits for it: only a probe asks', async () => {
    await cut();
    const asked = line.asked.length;
    line.cut = false;
    await expect(ledger.lookup(key)).rejects.toThrow(LedgerUnavailable);
    await expect(ledger.claim(requestFor(key))).rejects.toThrow('cut by the test');
    expect(line.asked).toHaveLength(asked);
  });

  test('recovery needs nothing but the ledger, and listeners hear that anything may have changed', async () => {
    await cut();
    const { promise: back, resolve } = Promise.withResolvers<LedgerNews>();
    ledger.subscribe(resolve);
    line.cut = false;
    expect(await back).toEqual({});
    expect((await ledger.claim(requestFor(key))).kind).toBe('won');
  });

  test('what ends a claim is tried all the same', async () => {
    const result = await ledger.claim(requestFor(key));
    if (result.kind !== 'won') throw new Error('expected to win');
    await cut();
    line.cut = false;
    expect(failingFast.down).toBe(true);
    expect(await ledger.settle(result.claim, storedAs('a'))).toBe('settled');
  });
});

describe('while the ledger answers, and does not do its work', () => {
  const wellAgain = () =>
    new Promise<void>((resolve) => {
      warned = () => {
        if (warnings.at(-1) === 'the ledger is back') resolve();
      };
    });
  const probes = async (many: number) => {
    const enough = line.writesTried + many;
    while (line.writesTried < enough) await new Promise(setImmediate);
  };

  test('one that cannot be written is read, and memory keeps its time', async () => {
    await settle(key);
    await ledger.lookup(key);
    line.full = true;
    await expect(ledger.claim(requestFor(keyOf('b.jpg')))).rejects.toThrow('full by the test');
    await probes(2);
    expect(failingFast.down).toBe(false);
    expect(peek()?.state).toBe('stored');
    expect(await ledger.lookup(keyOf('b.jpg'))).toBeUndefined();
    await expect(ledger.ping()).resolves.toBeUndefined();
  });

  test('one that cannot be written is told of once, and once that it is back', async () => {
    line.full = true;
    for (let turn = 0; turn < 5; turn += 1) {
      await expect(ledger.claim(requestFor(key))).rejects.toThrow('full by the test');
      await probes(1);
    }
    expect(warnings).toEqual([expect.stringContaining('full by the test')]);
    const back = wellAgain();
    line.full = false;
    await back;
    expect(warnings).toHaveLength(2);
    expect((await ledger.claim(requestFor(key))).kind).toBe('won');
  });

  test('one that answers a ping only is down until it answers what it was asked, and is told of once', async () => {
    line.maimed = true;
    while (line.lookupsTried < 5) {
      await expect(ledger.lookup(key)).rejects.toThrow('maimed by the test');
      await new Promise(setImmediate);
    }
    await expect(ledger.ping()).rejects.toThrow('maimed by the test');
    expect(warnings).toHaveLength(1);
    const back = wellAgain();
    line.maimed = false;
    await back;
    expect(failingFast.down).toBe(false);
    expect(await ledger.lookup(key)).toBeUndefined();
  });
});
