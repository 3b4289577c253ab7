import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { AssetKey } from '../../src/asset/key.ts';
import type { AssetRecord, StoredCopy } from '../../src/asset/record.ts';
import type { Claim, ClaimRequest, Ledger, LedgerNews, LedgerQuery, Settlement } from '../../src/ledger/ledger.ts';
import { failedFor, hour, keyOf, requestFor, storedAs } from './ledger-samples.ts';

/** What a driver's test gives the suite. */
export interface LedgerBench {
  /** One more process of the same fleet. */
  open(): Ledger;
  /** An empty ledger for the next test. */
  clear(): Promise<void>;
  /** Lets the ledger's clock pass `ms`. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

export function describeLedger(name: string, start: () => Promise<LedgerBench>): void {
  describe(`a ledger in ${name}`, () => {
    let bench: LedgerBench;
    let ledger: Ledger;
    let other: Ledger;

    beforeAll(async () => {
      bench = await start();
      ledger = bench.open();
      other = bench.open();
      await Promise.all([ledger.ping(), other.ping()]);
    });
    afterEach(() => bench.clear());
    afterAll(async () => {
      await Promise.all([ledger.close(), other.close()]);
      await bench.close();
    });

    async function win(key: AssetKey, more: Partial<ClaimRequest> = {}, from = ledger): Promise<Claim> {
      const result = await from.claim(requestFor(key, more));
      if (result.kind !== 'won') throw new Error(`expected to win the claim, it was ${result.kind}`);
      return result.claim;
    }

    async function store(key: AssetKey, settlement = storedAs(key.path)): Promise<AssetRecord> {
      await ledger.settle(await win(key), settlement);
      return found(key);
    }

    async function found(key: AssetKey): Promise<AssetRecord> {
      const record = await other.lookup(key);
      if (record === undefined) throw new Error(`there is no record of ${key.path}`);
      return record;
    }

    describe('lookup', () => {
      test('knows nothing of an asset nobody asked for', async () => {
        expect(await ledger.lookup(keyOf('never.jpg'))).toBeUndefined();
      });

      test('gives every process the whole record as it was settled', async () => {
        const settlement = storedAs('site/images/a');
        const record = await store(keyOf('a.jpg'), settlement);
        expect(record).toMatchObject({
          key: keyOf('a.jpg'),
          originUrl: 'https://origin.test/static/a.jpg',
          state: 'stored',
          copy: settlement.state === 'stored' ? settlement.copy : {},
          origin: settlement.state === 'stored' ? settlement.origin : {},
        });
        expect(record.copy?.storedAt).toBe(record.updatedAt);
        expect(record.createdAt).toBeLessThanOrEqual(record.updatedAt);
        expect(record).not.toHaveProperty('claim');
        expect(record).not.toHaveProperty('failure');
      });

      test('keeps every field a record can have, and none it has not', async () => {
        const origin = {
          bytes: 0,
          contentType: 'image/svg+xml; charset=utf-8',
          contentDisposition: 'attachment; filename="ü.svg"',
          contentEncoding: 'gzip',
          contentLanguage: 'de',
          cacheControl: 'no-cache',
          etag: 'W/"\u00fc"',
          lastModified: 'yesterday',
        };
        const { sha256: _absent, ...copy } = copyOf(
          storedAs('ä/ö', {
            resourceType: 'raw',
            deliveryType: 'authenticated',
            format: '',
            bytes: 5e12,
            proof: 'length',
            verifiedAt: 1_700_000_000_123,
          }),
        );
        const record = await store(keyOf('full.svg'), { state: 'stored', copy, origin });
        expect(record.origin).toEqual(origin);
        expect(record.copy).toEqual({ ...copy, storedAt: record.updatedAt });
        const bare = await store(keyOf('bare.svg'), { state: 'stored', copy, origin: {} });
        expect(bare.origin).toEqual({});
      });

      test('never mistakes one key for another', async () => {
        const keys = [
          keyOf('a/b', '/x/'),
          keyOf('b', '/x/a/'),
          keyOf('a%20b'),
          keyOf('a+b'),
          keyOf('A%20B'),
          keyOf('a', '/images/', 'b'),
          keyOf('a?b'),
          keyOf('a?', '/images/', 'b'),
          keyOf('a', '/images/', 'b&c'),
          keyOf(''),
          keyOf('', '/'),
          keyOf("'; DROP TABLE assets; --".replaceAll(' ', '%20')),
          keyOf('{x}:*?[a]'),
          keyOf('__proto__'),
          keyOf('constructor'),
          keyOf('%00%0d%0a'),
          keyOf('_'),
          keyOf('%'),
        ];
        for (const [index, key] of keys.entries()) await store(key, storedAs(`copy-${index}`));
        const publicIds = await Promise.all(keys.map(async (key) => (await found(key)).copy?.publicId));
        expect(publicIds).toEqual(keys.map((_, index) => `copy-${index}`));
        expect((await found(keyOf('__proto__'))).key).toEqual(keyOf('__proto__'));
      });
    });

    describe('claim', () => {
      test('is won by the first who asks, and held against everybody else', async () => {
        const result = await ledger.claim(requestFor(keyOf('a.jpg')));
        expect(result).toMatchObject({
          kind: 'won',
          claim: { key: keyOf('a.jpg'), owner: 'host:1:a' },
          record: { state: 'claimed', claim: { owner: 'host:1:a' } },
          resumed: false,
        });
        expect(await other.claim(requestFor(keyOf('a.jpg'), { owner: 'host:2:b' }))).toMatchObject({
          kind: 'held',
          record: { claim: { owner: 'host:1:a' } },
        });
      });

      test('of 200 racing claimants in two processes is won by exactly one', async () => {
        const results = await Promise.all(
          Array.from({ length: 200 }, (_, index) =>
            (index % 2 === 0 ? ledger : other).claim(requestFor(keyOf('raced.jpg'), { owner: `racer ${index}` })),
          ),
        );
        const winner = results.filter(({ kind }) => kind === 'won');
        expect(winner).toHaveLength(1);
        expect(results.filter(({ kind }) => kind === 'held')).toHaveLength(199);
        for (const { record } of results) expect(record.claim?.owner).toBe(winner[0]?.record.claim?.owner);
      });

      test('of an asset that is stored says so', async () => {
        await store(keyOf('a.jpg'));
        expect(await other.claim(requestFor(keyOf('a.jpg')))).toMatchObject({
          kind: 'settled',
          record: { state: 'stored' },
        });
      });

      test('is free again when its owner died and the lease ran out', async () => {
        const dead = await win(keyOf('a.jpg'), { leaseMs: 40 });
        await bench.pass(41);
        const next = await other.claim(requestFor(keyOf('a.jpg'), { owner: 'host:2:b' }));
        expect(next).toMatchObject({ kind: 'won', resumed: true });
        expect(next.record.claim?.token).toBeGreaterThan(dead.token);
      });

      test('gives each claim of an asset a greater token, also after settle, release and forget', async () => {
        const key = keyOf('a.jpg');
        const tokens: number[] = [];
        for (const end of ['release', 'settle', 'forget', 'forget', 'release'] as const) {
          const claim = await win(key, { redo: 'refresh' });
          tokens.push(claim.token);
          if (end === 'release') await ledger.release(claim);
          else if (end === 'settle') await ledger.settle(claim, storedAs('a'));
          else await ledger.forget(key);
        }
        expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
      });

      test('before the retry time of a failure is refused, then granted', async () => {
        await ledger.settle(await win(keyOf('a.jpg')), failedFor(500));
        expect(await other.claim(requestFor(keyOf('a.jpg')))).toMatchObject({
          kind: 'settled',
          record: { state: 'failed', failure: { reason: 'origin-timeout', attempts: 1 } },
        });
        await bench.pass(501);
        expect(await win(keyOf('a.jpg'), {}, other)).toBeDefined();
      });

      test.each(['failed', 'missing'] as const)('with redo retry tries a %s asset before its time', async (state) => {
        await ledger.settle(await win(keyOf('a.jpg')), failedFor(hour, state));
        expect((await other.claim(requestFor(keyOf('a.jpg')))).kind).toBe('settled');
        expect((await other.claim(requestFor(keyOf('a.jpg'), { redo: 'lost' }))).kind).toBe('settled');
        expect((await other.claim(requestFor(keyOf('a.jpg'), { redo: 'retry' }))).kind).toBe('won');
      });

      test('with redo retry leaves a stored asset alone', async () => {
        await store(keyOf('a.jpg'));
        expect((await ledger.claim(requestFor(keyOf('a.jpg'), { redo: 'retry' }))).kind).toBe('settled');
      });

      test('with redo refresh keeps the old copy until the new one is settled', async () => {
        const key = keyOf('a.jpg');
        await store(key, storedAs('a', { version: 1 }));
        const claim = await win(key, { redo: 'refresh' });
        expect(await found(key)).toMatchObject({ state: 'claimed', copy: { version: 1 } });
        await ledger.settle(claim, storedAs('a', { version: 2, md5: 'a'.repeat(32) }));
        expect(await found(key)).toMatchObject({ state: 'stored', copy: { version: 2 } });
      });

      test('with redo lost drops the copy at once', async () => {
        const key = keyOf('a.jpg');
        await store(key);
        await win(key, { redo: 'lost' });
        const record = await found(key);
        expect(record.state).toBe('claimed');
        expect(record.copy).toBeUndefined();
      });

      test.each(['retry', 'refresh', 'lost'] as const)('with redo %s respects the claim of another', async (redo) => {
        await win(keyOf('a.jpg'));
        expect((await other.claim(requestFor(keyOf('a.jpg'), { redo }))).kind).toBe('held');
      });
    });

    describe('renew', () => {
      test('keeps a claim past its first lease', async () => {
        const claim = await win(keyOf('a.jpg'), { leaseMs: 60 });
        expect(await ledger.renew(claim, hour)).toBe(true);
        await bench.pass(61);
        expect((await other.claim(requestFor(keyOf('a.jpg')))).kind).toBe('held');
      });

      test('fails for a claimant that has been replaced, and harms nothing', async () => {
        const slow = await win(keyOf('a.jpg'), { leaseMs: 40 });
        await bench.pass(41);
        const next = await win(keyOf('a.jpg'), {}, other);
        expect(await ledger.renew(slow, hour)).toBe(false);
        expect((await found(keyOf('a.jpg'))).claim?.token).toBe(next.token);
      });

      test('fails once the asset is settled or forgotten', async () => {
        const claim = await win(keyOf('a.jpg'));
        await ledger.settle(claim, storedAs('a'));
        expect(await ledger.renew(claim, hour)).toBe(false);
        const second = await win(keyOf('b.jpg'));
        await ledger.forget(keyOf('b.jpg'));
        expect(await ledger.renew(second, hour)).toBe(false);
        expect(await ledger.lookup(keyOf('b.jpg'))).toBeUndefined();
      });
    });

    describe('settle', () => {
      test('by a claimant paused past its lease counts, while nobody has replaced it', async () => {
        const paused = await win(keyOf('a.jpg'), { leaseMs: 40 });
        await bench.pass(41);
        expect(await ledger.settle(paused, storedAs('a'))).toBe('settled');
        expect((await found(keyOf('a.jpg'))).state).toBe('stored');
      });

      test('by a claimant that has been replaced is stale and changes nothing', async () => {
        const paused = await win(keyOf('a.jpg'), { leaseMs: 40 });
        await bench.pass(41);
        const next = await win(keyOf('a.jpg'), {}, other);
        expect(await ledger.settle(paused, storedAs('stale'))).toBe('stale');
        expect(await found(keyOf('a.jpg'))).toMatchObject({ state: 'claimed', claim: { token: next.token } });
        await other.settle(next, storedAs('fresh', { md5: 'b'.repeat(32) }));
        expect(await ledger.settle(paused, failedFor(hour))).toBe('stale');
        expect((await found(keyOf('a.jpg'))).copy?.publicId).toBe('fresh');
      });

      test('may be repeated by whoever did not get the answer', async () => {
        const claim = await win(keyOf('a.jpg'));
        await ledger.settle(claim, storedAs('a'));
        const before = await found(keyOf('a.jpg'));
        expect(await ledger.settle(claim, storedAs('a'))).toBe('settled');
        expect(await found(keyOf('a.jpg'))).toEqual(before);
        expect(await ledger.settle(claim, failedFor(hour))).toBe('stale');
      });

      test('of a forgotten asset is stale and does not bring it back', async () => {
        const claim = await win(keyOf('a.jpg'));
        expect(await other.forget(keyOf('a.jpg'))).toBe(true);
        expect(await ledger.settle(claim, storedAs('a'))).toBe('stale');
        expect(await ledger.lookup(keyOf('a.jpg'))).toBeUndefined();
      });

      test('counts the attempts in a row and forgets them with the first success', async () => {
        const key = keyOf('a.jpg');
        for (const attempts of [1, 2, 3]) {
          await ledger.settle(await win(key), failedFor(0));
          expect((await found(key)).failure?.attempts).toBe(attempts);
        }
        await ledger.settle(await win(key), storedAs('a'));
        expect((await found(key)).failure).toBeUndefined();
      });

      test('of a failed refresh leaves the old copy in service', async () => {
        const key = keyOf('a.jpg');
        await store(key, storedAs('a', { verifiedAt: 1_700_000_000_000 }));
        await ledger.settle(await win(key, { redo: 'refresh' }), failedFor(hour));
        expect(await found(key)).toMatchObject({
          state: 'verified',
          copy: { publicId: 'a' },
          failure: { reason: 'origin-timeout', attempts: 1 },
        });
      });

      test('of a copy proven again says verified and keeps the time it was stored', async () => {
        const key = keyOf('a.jpg');
        const { copy } = await store(key);
        await bench.pass(5);
        await ledger.settle(await win(key, { redo: 'refresh' }), storedAs(key.path, { verifiedAt: 1_700_000_000_000 }));
        expect(await found(key)).toMatchObject({ state: 'verified', copy: { storedAt: copy?.storedAt } });
      });
    });

    describe('release', () => {
      test('lets the next claimant start at once', async () => {
        const claim = await win(keyOf('a.jpg'));
        expect(await ledger.release(claim)).toBe('released');
        expect((await found(keyOf('a.jpg'))).state).toBe('known');
        expect(await win(keyOf('a.jpg'), {}, other)).toBeDefined();
        expect(await ledger.release(claim)).toBe('stale');
      });

      test('of a refresh puts the old copy back into service', async () => {
        const before = await store(keyOf('a.jpg'));
        await ledger.release(await win(keyOf('a.jpg'), { redo: 'refresh' }));
        expect(await found(keyOf('a.jpg'))).toMatchObject({ state: 'stored', copy: before.copy });
      });
    });

    describe('tombstone', () => {
      test('stops every later claim until the asset is forgotten', async () => {
        const key = keyOf('a.jpg');
        await store(key);
        await ledger.tombstone(key, 'https://origin.test/static/a.jpg');
        for (const redo of ['retry', 'refresh', 'lost'] as const) {
          expect(await other.claim(requestFor(key, { redo }))).toMatchObject({
            kind: 'settled',
            record: { state: 'tombstoned' },
          });
        }
        expect(await other.forget(key)).toBe(true);
        expect(await win(key)).toBeDefined();
      });

      test('makes whoever is uploading at this moment stale', async () => {
        const claim = await win(keyOf('a.jpg'));
        await other.tombstone(keyOf('a.jpg'), 'https://origin.test/static/a.jpg');
        expect(await ledger.settle(claim, storedAs('a'))).toBe('stale');
        expect(await found(keyOf('a.jpg'))).toMatchObject({ state: 'tombstoned' });
      });

      test('works for an asset never seen before', async () => {
        await ledger.tombstone(keyOf('new.jpg'), 'https://origin.test/static/new.jpg');
        expect((await found(keyOf('new.jpg'))).originUrl).toBe('https://origin.test/static/new.jpg');
      });
    });

    test('forget says whether there was anything to forget', async () => {
      expect(await ledger.forget(keyOf('a.jpg'))).toBe(false);
      await store(keyOf('a.jpg'));
      expect(await other.forget(keyOf('a.jpg'))).toBe(true);
      expect(await ledger.lookup(keyOf('a.jpg'))).toBeUndefined();
    });

    describe('query', () => {
      async function paths(query: LedgerQuery): Promise<string[]> {
        const all: string[] = [];
        let after: string | undefined;
        do {
          const page = await ledger.query({ ...query, ...(after !== undefined && { after }) });
          expect(page.records.length).toBeLessThanOrEqual(query.limit ?? 100);
          all.push(...page.records.map(({ key }) => `${key.mapping}${key.path}`));
          after = page.next;
        } while (after !== undefined);
        return all.sort();
      }

      test.each([1, 2, 7, 1000])('by pages of %i gives every record once', async (limit) => {
        const names = Array.from({ length: 25 }, (_, index) => `asset-${String(index).padStart(2, '0')}.jpg`);
        for (const name of names) await store(keyOf(name));
        expect(await paths({ limit })).toEqual(names.map((name) => `/images/${name}`));
      });

      test('finds by mapping, state, reason and path prefix', async () => {
        await store(keyOf('one/two/a.jpg'));
        await store(keyOf('one/two-other/b.jpg'));
        await store(keyOf('one/two/c.jpg', '/files/'));
        await ledger.settle(await win(keyOf('one/gone.jpg')), failedFor(hour, 'missing'));
        await ledger.settle(await win(keyOf('late.jpg')), failedFor(hour));
        await win(keyOf('busy.jpg'));
        expect(await paths({ mapping: '/files/' })).toEqual(['/files/one/two/c.jpg']);
        expect(await paths({ mapping: '/images/', pathPrefix: 'one/two/' })).toEqual(['/images/one/two/a.jpg']);
        expect(await paths({ pathPrefix: 'one/two' })).toEqual([
          '/files/one/two/c.jpg',
          '/images/one/two-other/b.jpg',
          '/images/one/two/a.jpg',
        ]);
        expect(await paths({ states: ['missing', 'failed', 'claimed'], limit: 1 })).toEqual([
          '/images/busy.jpg',
          '/images/late.jpg',
          '/images/one/gone.jpg',
        ]);
        expect(await paths({ reasons: ['origin-timeout', 'too-large'] })).toEqual(['/images/late.jpg']);
        expect(await paths({ states: ['missing'], reasons: ['origin-timeout'] })).toEqual([]);
        expect(await paths({ mapping: '/image' })).toEqual([]);
        expect(await paths({ states: [] })).toEqual([]);
        expect(await paths({ pathPrefix: 'one/%' })).toEqual([]);
      });

      test('refuses a mark that is not of this ledger', async () => {
        await expect(ledger.query({ after: 'nonsense' })).rejects.toThrow(TypeError);
      });
    });

    describe('tally', () => {
      test('counts each mapping by state, with the bytes of its copies, as assets come, change and go', async () => {
        expect(await ledger.tally()).toEqual([]);
        await store(keyOf('a.jpg'), storedAs('a', { bytes: 1_000 }));
        await store(keyOf('b.jpg'), storedAs('b', { bytes: 4_000_000_000_000 }));
        await store(keyOf('c.jpg', '/files/'), storedAs('c', { bytes: 5, verifiedAt: 1_700_000_000_000 }));
        await ledger.settle(await win(keyOf('d.jpg')), failedFor(hour));
        const refresh = await win(keyOf('a.jpg'), { redo: 'refresh' }, other);
        expect(await other.tally()).toEqual([
          { mapping: '/files/', states: { ...none, verified: 1 }, failures: {}, storedBytes: 5 },
          {
            mapping: '/images/',
            states: { ...none, claimed: 1, stored: 1, failed: 1 },
            failures: { 'origin-timeout': 1 },
            storedBytes: 4_000_000_001_000,
          },
        ]);
        await other.settle(refresh, storedAs('a', { bytes: 2_000, version: 2 }));
        await ledger.tombstone(keyOf('b.jpg'), 'https://origin.test/static/b.jpg');
        await ledger.forget(keyOf('c.jpg', '/files/'));
        expect(await other.tally()).toEqual([
          {
            mapping: '/images/',
            states: { ...none, stored: 1, failed: 1, tombstoned: 1 },
            failures: { 'origin-timeout': 1 },
            storedBytes: 2_000,
          },
        ]);
      });

      test('counts what failed and what is missing by reason, and no longer what is tried again or stored', async () => {
        for (const path of ['a.jpg', 'b.jpg', 'c.jpg']) await ledger.settle(await win(keyOf(path)), failedFor(0));
        await ledger.settle(await win(keyOf('d.jpg')), failedFor(0, 'missing'));
        expect((await other.tally())[0]?.failures).toEqual({ 'origin-timeout': 3, 'origin-not-found': 1 });
        await store(keyOf('a.jpg'));
        await win(keyOf('b.jpg'));
        await ledger.settle(await win(keyOf('c.jpg')), failedFor(0, 'missing'));
        await ledger.forget(keyOf('d.jpg'));
        await store(keyOf('e.jpg'));
        await ledger.settle(await win(keyOf('e.jpg'), { redo: 'refresh' }), failedFor(0));
        expect((await other.tally())[0]?.failures).toEqual({ 'origin-not-found': 1 });
      });
    });

    describe('due', () => {
      test('lists lapsed leases, claims given back and failures whose time has come, and nothing else', async () => {
        await win(keyOf('dead.jpg'), { leaseMs: 40 });
        await win(keyOf('alive.jpg'));
        await ledger.settle(await win(keyOf('soon.jpg')), failedFor(40));
        await ledger.settle(await win(keyOf('later.jpg')), failedFor(hour));
        await ledger.settle(await win(keyOf('missing.jpg')), failedFor(0, 'missing'));
        await ledger.release(await win(keyOf('released.jpg')));
        await store(keyOf('stored.jpg'));
        await bench.pass(41);
        const due = await other.due(100);
        expect(due.map(({ key }) => key.path).sort()).toEqual(['dead.jpg', 'released.jpg', 'soon.jpg']);
        expect(await other.due(1)).toHaveLength(1);
        await store(keyOf('dead.jpg'));
        await store(keyOf('released.jpg'));
        await store(keyOf('soon.jpg'));
        expect(await other.due(100)).toEqual([]);
      });

      test('leaves out a failure that is left to the next request, which may claim it in its time', async () => {
        await ledger.settle(await win(keyOf('given-up.jpg')), { ...failedFor(40), sweep: false });
        await bench.pass(41);
        expect(await other.due(100)).toEqual([]);
        await win(keyOf('given-up.jpg'));
      });
    });

    describe('dropping idle assets', () => {
      const rule = { keepMs: hour, most: 1_000 };

      async function idle(path: string, ...how: Parameters<typeof failedFor>): Promise<void> {
        await ledger.settle(await win(keyOf(path)), { ...failedFor(...how), sweep: false });
      }

      async function paths(): Promise<string[]> {
        return (await other.query({})).records.map(({ key }) => key.path).sort();
      }

      test('takes those whose last attempt is long ago, and nothing that has a copy or is tried again', async () => {
        await idle('missing.jpg', 0, 'missing');
        await idle('given-up.jpg', 0);
        await idle('asked-again.jpg', 0, 'missing');
        await ledger.settle(await win(keyOf('swept.jpg')), failedFor(hour));
        await store(keyOf('stored.jpg'));
        await store(keyOf('not-refreshed.jpg'));
        await ledger.settle(await win(keyOf('not-refreshed.jpg'), { redo: 'refresh' }), failedFor(0, 'missing'));
        await ledger.tombstone(keyOf('gone.jpg'), 'https://origin.test/static/gone.jpg');
        await bench.pass(1_500);
        await idle('asked-again.jpg', 0, 'missing');
        await win(keyOf('claimed-again.jpg'));
        expect(await ledger.dropIdle({ ...rule, keepMs: 1_400 }, 100)).toBe(2);
        expect(await paths()).toEqual([
          'asked-again.jpg',
          'claimed-again.jpg',
          'gone.jpg',
          'not-refreshed.jpg',
          'stored.jpg',
          'swept.jpg',
        ]);
        const [tally] = await other.tally();
        expect(tally?.states).toMatchObject({ missing: 1, failed: 1, stored: 2, tombstoned: 1, claimed: 1 });
      });

      test('takes what is above the bound, the longest idle first, and no more at once than it is told to', async () => {
        for (let index = 0; index < 6; index += 1) {
          await idle(`${index}.jpg`, hour, 'missing');
          await bench.pass(2);
        }
        expect(await ledger.dropIdle(rule, 100)).toBe(0);
        expect(await ledger.dropIdle({ ...rule, most: 0 }, 2)).toBe(2);
        expect(await ledger.dropIdle({ ...rule, most: 1 }, 100)).toBe(3);
        expect(await paths()).toHaveLength(1);
      });

      test('of one that somebody has claimed again leaves it to its claimant', async () => {
        await idle('a.jpg', 0, 'missing');
        const claim = await win(keyOf('a.jpg'));
        expect(await ledger.dropIdle({ keepMs: 0, most: 0 }, 100)).toBe(0);
        expect(await ledger.settle(claim, storedAs('a'))).toBe('settled');
      });

      test('makes the next claim newer than every claim before', async () => {
        const before = await win(keyOf('a.jpg'));
        await ledger.settle(before, failedFor(0, 'missing'));
        expect(await ledger.dropIdle({ keepMs: hour, most: 0 }, 100)).toBe(1);
        expect((await win(keyOf('a.jpg'))).token).toBeGreaterThan(before.token);
        expect(await ledger.settle(before, storedAs('a'))).toBe('stale');
      });
    });

    describe('restore', () => {
      test('brings a record over as it was, and counts it', async () => {
        const record = await store(keyOf('a.jpg'));
        await ledger.forget(record.key);
        expect(await other.restore(record)).toBe(true);
        expect(await ledger.lookup(record.key)).toEqual(record);
        expect((await ledger.tally())[0]).toMatchObject({ states: { stored: 1 }, storedBytes: record.copy?.bytes });
      });

      test('leaves what is known here as well or better, and what is being uploaded here', async () => {
        const record = await store(keyOf('a.jpg'));
        expect(await ledger.restore(record)).toBe(false);
        expect(await ledger.restore({ ...record, state: 'known', updatedAt: record.updatedAt - 1 })).toBe(false);
        const claim = await win(keyOf('a.jpg'), { redo: 'refresh' });
        expect(await ledger.restore({ ...record, updatedAt: record.updatedAt + hour })).toBe(false);
        expect(await ledger.settle(claim, storedAs('a.jpg'))).toBe('settled');
      });

      test('makes an asset that was being uploaded there one that is due here', async () => {
        await win(keyOf('a.jpg'));
        const record = await found(keyOf('a.jpg'));
        await ledger.forget(record.key);
        expect(await ledger.restore(record)).toBe(true);
        const restored = await found(keyOf('a.jpg'));
        expect(restored).toMatchObject({ state: 'known' });
        expect(restored).not.toHaveProperty('claim');
        expect((await other.due(10)).map(({ key }) => key.path)).toEqual(['a.jpg']);
      });

      test('keeps a failure waiting until its time', async () => {
        const key = keyOf('a.jpg');
        await ledger.settle(await win(key), failedFor(hour));
        const record = await found(key);
        await ledger.forget(key);
        await ledger.restore(record);
        expect(await ledger.claim(requestFor(key))).toMatchObject({ kind: 'settled' });
        expect(await ledger.due(10)).toEqual([]);
      });
    });

    describe('duty', () => {
      const sweep = { duty: 'sweep', leaseMs: 60 } as const;

      test('is one process’s at a time, who may keep it', async () => {
        expect(await ledger.takeDuty({ ...sweep, owner: 'one', leaseMs: hour })).toBe(true);
        expect(await other.takeDuty({ ...sweep, owner: 'other' })).toBe(false);
        expect(await ledger.takeDuty({ ...sweep, owner: 'one', leaseMs: hour })).toBe(true);
      });

      test('is free again when its holder died', async () => {
        await ledger.takeDuty({ ...sweep, owner: 'one' });
        await bench.pass(70);
        expect(await other.takeDuty({ ...sweep, owner: 'other', leaseMs: hour })).toBe(true);
        expect(await ledger.takeDuty({ ...sweep, owner: 'one' })).toBe(false);
      });

      test('is won by one of 50 racing processes', async () => {
        const wins = await Promise.all(
          Array.from({ length: 50 }, (_, index) =>
            (index % 2 === 0 ? ledger : other).takeDuty({ ...sweep, owner: `${index}`, leaseMs: hour }),
          ),
        );
        expect(wins.filter((won) => won)).toHaveLength(1);
      });
    });

    describe('pause', () => {
      test('is known to every process, and the longest counts', async () => {
        expect(await other.pausedFor()).toBe(0);
        await ledger.pause(hour);
        await ledger.pause(60);
        const left = await other.pausedFor();
        expect(left).toBeGreaterThan(hour - 30_000);
        expect(left).toBeLessThanOrEqual(hour);
      });

      test('ends by itself', async () => {
        await ledger.pause(40);
        await bench.pass(50);
        expect(await other.pausedFor()).toBe(0);
      });
    });

    describe('subscribe', () => {
      /** Resolves with the news heard once `enough` says so. */
      function listen(to: Ledger, enough: (heard: readonly LedgerNews[]) => boolean) {
        const heard: LedgerNews[] = [];
        const { promise, resolve } = Promise.withResolvers<LedgerNews[]>();
        const stop = to.subscribe((news) => {
          heard.push(news);
          if (enough(heard)) resolve(heard);
        });
        return { heard: promise, stop };
      }

      const names = (heard: readonly LedgerNews[]) => heard.flatMap(({ key }) => (key === undefined ? [] : [key.path]));

      test('tells every process of each settlement, tombstone and forget, whoever made it', async () => {
        const wanted = ['settled.jpg', 'tombstoned.jpg', 'forgotten.jpg'];
        const enough = (heard: readonly LedgerNews[]) => wanted.every((name) => names(heard).includes(name));
        const here = listen(ledger, enough);
        const there = listen(other, enough);
        await subscriptionsStand();
        await ledger.settle(await win(keyOf('settled.jpg')), storedAs('a'));
        await other.tombstone(keyOf('tombstoned.jpg'), 'https://origin.test/static/t.jpg');
        await store(keyOf('forgotten.jpg'));
        await other.forget(keyOf('forgotten.jpg'));
        await here.heard;
        await there.heard;
        here.stop();
        there.stop();
      });

      /** A subscription over a network takes a moment to stand: waits until a change is heard on each. */
      async function subscriptionsStand(): Promise<void> {
        const first = listen(ledger, (heard) => names(heard).includes('first.jpg'));
        const second = listen(other, (heard) => names(heard).includes('first.jpg'));
        let stand = false;
        const both = Promise.all([first.heard, second.heard]).then(() => {
          stand = true;
        });
        while (!stand) {
          await ledger.tombstone(keyOf('first.jpg'), 'https://origin.test/static/first.jpg');
          await Promise.race([both, delay(20)]);
        }
        first.stop();
        second.stop();
      }

      test('stops when told to, and an error in one listener does not reach the others', async () => {
        const broken = ledger.subscribe(() => {
          throw new Error('a listener of the test fails on purpose');
        });
        const unwanted: LedgerNews[] = [];
        const stopEarly = ledger.subscribe((news) => unwanted.push(news));
        stopEarly();
        const last = listen(ledger, (heard) => names(heard).includes('a.jpg'));
        await subscriptionsStand();
        await store(keyOf('a.jpg'));
        await last.heard;
        broken();
        last.stop();
        expect(unwanted).toEqual([]);
      });
    });
  });
}

const none = { known: 0, claimed: 0, stored: 0, verified: 0, failed: 0, missing: 0, tombstoned: 0 };

function copyOf(settlement: Settlement): Omit<StoredCopy, 'storedAt'> {
  if (settlement.state !== 'stored') throw new TypeError('the settlement holds no copy');
  return settlement.copy;
}
