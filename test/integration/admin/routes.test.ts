import { Registry } from 'prom-client';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LedgerUnavailable } from '../../../src/ledger/ledger.ts';
import type { MigrationOutcome } from '../../../src/migration/migrator.ts';
import {
  type AdminFixture,
  failed,
  keyOf,
  missing,
  operateToken,
  put,
  readToken,
  startAdmin,
  stored,
} from '../../support/admin.ts';

let admin: AdminFixture;

beforeEach(async () => {
  admin = await startAdmin();
});
afterEach(() => admin.close());

function get(path: string) {
  return request(admin.url).get(path).set('authorization', `Bearer ${readToken}`);
}

function post(path: string, body: object) {
  return request(admin.url).post(path).set('authorization', `Bearer ${operateToken}`).send(body);
}

async function fill() {
  await put(admin.ledger, '/images/a.jpg', stored('/images/a.jpg', 1_000, 1_700_000_000_000));
  await put(admin.ledger, '/images/2019/b.jpg', stored('/images/2019/b.jpg', 500));
  await put(admin.ledger, '/images/2019/c.jpg', failed('origin-timeout', 'no answer in 15 s'));
  await put(admin.ledger, '/images/2020/d%20e.jpg', failed('origin-denied', 'the origin answered 403'));
  await put(admin.ledger, '/images/gone.jpg', missing);
  await put(admin.ledger, '/videos/v.mp4', 'claimed');
}

/** The finished run. */
async function runOver() {
  return await vi.waitFor(async () => {
    const { body } = await get('/api/runs');
    expect(body.runs[0].state).not.toBe('running');
    return body.runs[0];
  });
}

describe('the audit log', () => {
  test.each(['tombstone', 'purge'] as const)(
    'holds a %s whose answer was lost: it may have been made',
    async (action) => {
      await fill();
      const { ledger } = admin;
      const lost = () => Promise.reject(new LedgerUnavailable('the connection broke'));
      const audited: object[] = [];
      const maimed = await startAdmin({
        ledger: { ...bound(ledger), tombstone: lost, forget: lost },
        audit: (entry) => void audited.push(entry),
      });
      try {
        const response = await request(maimed.url)
          .post(`/api/${action}`)
          .set('authorization', `Bearer ${operateToken}`)
          .send({ path: '/images/a.jpg' });
        expect(response.status).toBe(503);
        expect(audited).toEqual([
          expect.objectContaining({
            action,
            target: '/images/a.jpg',
            by: 'operate by token',
            outcome: 'failed',
            detail: expect.stringContaining('the connection broke'),
          }),
        ]);
      } finally {
        await maimed.close();
      }
    },
  );

  /** The methods of the ledger, free to be replaced. */
  function bound(ledger: AdminFixture['ledger']) {
    return {
      lookup: ledger.lookup.bind(ledger),
      query: ledger.query.bind(ledger),
      tally: ledger.tally.bind(ledger),
      subscribe: ledger.subscribe.bind(ledger),
    };
  }
});

describe('probes', () => {
  test('tell that the process lives, to anybody and under any host name', async () => {
    const response = await request(admin.url).get('/healthz').set('host', 'pod-7.cluster.local');
    expect(response.status).toBe(200);
    expect(response.headers['cache-control']).toBe('no-store');
  });

  test('answer 503 with each reason while it cannot do its work', async () => {
    await admin.close();
    const truth = { ready: false, ledger: 'down', store: 'up', reasons: ['the ledger does not answer'] } as const;
    admin = await startAdmin({ readiness: () => truth });
    const response = await request(admin.url).get('/readyz');
    expect(response.status).toBe(503);
    expect(response.body).toEqual(truth);
  });
});

describe('metrics', () => {
  test('come in the Prometheus text format, to readers only', async () => {
    await admin.close();
    const registry = new Registry();
    admin = await startAdmin({ registry: { contentType: registry.contentType, metrics: async () => 'up 1\n' } });
    expect((await request(admin.url).get('/metrics')).status).toBe(401);
    const response = await get('/metrics');
    expect(response.headers['content-type']).toMatch(/^text\/plain; .*version=0\.0\.4/);
    expect(response.text).toBe('up 1\n');
  });
});

describe('coverage', () => {
  test('counts the assets of each mapping by state, and what of the wanted ones is stored', async () => {
    await fill();
    const { body } = await get('/api/tally');
    expect(body.mappings).toEqual([
      expect.objectContaining({
        mapping: '/images/',
        configured: true,
        storedBytes: 1_500,
        wanted: 4,
        stored: 2,
        share: 0.5,
        states: { known: 0, claimed: 0, stored: 1, verified: 1, failed: 2, missing: 1, tombstoned: 0 },
      }),
      expect.objectContaining({ mapping: '/videos/', wanted: 1, stored: 0, share: 0 }),
    ]);
  });

  test('keeps showing a mapping that left the configuration, and shows one nobody has used yet', async () => {
    await fill();
    await admin.close();
    admin = await startAdmin({ mappings: () => [] });
    expect((await get('/api/tally')).body.mappings).toEqual([]);
    await put(admin.ledger, '/images/a.jpg', stored('/images/a.jpg', 1));
    expect((await get('/api/tally')).body.mappings).toEqual([
      expect.objectContaining({ mapping: '/images/', configured: false, share: 1 }),
    ]);
  });

  test('counts failures by reason with what helps', async () => {
    await fill();
    const { body } = await get('/api/failures');
    expect(body.reasons).toHaveLength(3);
    expect(body.reasons).toContainEqual({
      reason: 'origin-denied',
      count: 1,
      hint: expect.stringContaining('Check the mapping’s auth'),
    });
  });
});

describe('the list of assets', () => {
  beforeEach(fill);

  async function paths(query: string) {
    const { status, body } = await get(`/api/assets?${query}`);
    expect(body.error).toBeUndefined();
    expect(status).toBe(200);
    return body.assets.map(({ path }: { path: string }) => path);
  }

  test('is filtered by mapping, state, reason and path', async () => {
    expect(await paths('mapping=/videos/')).toEqual(['/videos/v.mp4']);
    expect(await paths('state=failed')).toEqual(['/images/2019/c.jpg', '/images/2020/d%20e.jpg']);
    expect(await paths('state=stored,verified')).toEqual(['/images/2019/b.jpg', '/images/a.jpg']);
    expect(await paths('state=stored&state=verified')).toEqual(['/images/2019/b.jpg', '/images/a.jpg']);
    expect(await paths('reason=origin-not-found')).toEqual(['/images/gone.jpg']);
    expect(await paths('path=/images/2019/')).toEqual(['/images/2019/b.jpg', '/images/2019/c.jpg']);
    expect(await paths('mapping=/images/&path=2019/c')).toEqual(['/images/2019/c.jpg']);
  });

  test('finds a path as people type it, unescaped', async () => {
    expect(await paths(`path=${encodeURIComponent('/images/2020/d e')}`)).toEqual(['/images/2020/d%20e.jpg']);
  });

  test('is given page by page', async () => {
    const first = await get('/api/assets?limit=4');
    expect(first.body.assets).toHaveLength(4);
    const second = await get(`/api/assets?limit=4&after=${encodeURIComponent(first.body.next)}`);
    expect(second.body.assets).toHaveLength(2);
    expect(second.body.next).toBeNull();
  });

  test('shows the copy with its address, the failure with its hint, times in ISO 8601', async () => {
    const { body } = await get('/api/assets?path=/images/a.jpg');
    expect(body.assets[0]).toMatchObject({
      state: 'verified',
      originUrl: 'https://www.example.com/static/images/a.jpg',
      copy: {
        url: 'https://res.cloudinary.com/demo/image/upload/v1700000000/site/images/a.jpg',
        proof: 'read',
        verifiedAt: '2023-11-14T22:13:20.000Z',
      },
    });
    const failures = await get('/api/assets?reason=origin-timeout');
    expect(failures.body.assets[0].failure).toMatchObject({
      attempts: 1,
      detail: 'no answer in 15 s',
      hint: expect.stringContaining('too slow'),
      retryAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
  });

  test.each([
    ['state=lost', 'state.0: "lost" is not one of known, claimed, stored'],
    ['reason=bad-luck', 'is not one of origin-not-found'],
    ['limit=0', 'limit:'],
    ['limit=many', 'limit: write a number from 1 to 1000'],
    ['color=red', 'color'],
    ['path=/elsewhere/', 'no mapping’s prefix begins "/elsewhere/"; there are /images/, /videos/'],
  ])('refuses %s and says what would be right', async (query, message) => {
    const { status, body } = await get(`/api/assets?${query}`);
    expect(status).toBe(400);
    expect(body.error.message).toContain(message);
  });
});

describe('explaining a path', () => {
  test('tells the mapping, the origin, the public ID and what the next request gets', async () => {
    const { body } = await get('/api/explain?path=/images/new.jpg');
    expect(body).toMatchObject({
      kind: 'mapped',
      originUrl: 'https://www.example.com/static/images/new.jpg',
      cold: 'passthrough',
      record: null,
      verdict: 'Nobody has asked for it yet: the next request gets the origin’s bytes and starts the upload.',
    });
  });

  test('differs with the state of the asset', async () => {
    await fill();
    const verdict = async (path: string) => (await get('/api/explain').query({ path })).body.verdict;
    expect(await verdict('/images/a.jpg')).toBe(
      'Stored and proven whole: requests get a 302 redirect to the stored copy.',
    );
    expect(await verdict('/videos/v.mp4')).toMatch(/^web-1:77:ab uploads it now/);
    expect(await verdict('/images/2019/c.jpg')).toMatch(/^1 attempt failed \(origin-timeout\)/);
    expect(await verdict('/images/gone.jpg')).toMatch(/requests get a 404 until \d{4}-/);
    await admin.ledger.tombstone(keyOf('/images/a.jpg'), 'https://www.example.com/a.jpg');
    expect(await verdict('/images/a.jpg')).toMatch(/^Deleted on purpose/);
  });

  test('tells why a path leads nowhere', async () => {
    const unmapped = await get('/api/explain?path=/favicon.ico');
    expect(unmapped.status).toBe(200);
    expect(unmapped.body).toMatchObject({ kind: 'unmapped', verdict: expect.stringContaining('there are /images/') });
    expect((await get('/api/explain?path=/images/../x')).body.kind).toBe('refused');
  });

  test.each(['', '?path=', '?path=images/a.jpg'])('needs a path that starts with a slash (%j)', async (query) => {
    const { status, body } = await get(`/api/explain${query}`);
    expect(status).toBe(400);
    expect(body.error.message).toMatch(/^path: /);
  });
});

describe('what is going on', () => {
  test('uploads of this process are shown with their progress', async () => {
    await admin.close();
    const job = { key: keyOf('/videos/v.mp4'), startedAt: 1_700_000_000_000, bytes: 10, totalBytes: 40, via: 'bytes' };
    admin = await startAdmin({ jobs: () => [job as never] });
    expect((await get('/api/jobs')).body.jobs).toEqual([
      {
        path: '/videos/v.mp4',
        key: job.key,
        startedAt: '2023-11-14T22:13:20.000Z',
        bytes: 10,
        totalBytes: 40,
        via: 'bytes',
      },
    ]);
  });

  test('the assets changed last come first, each once', async () => {
    await put(admin.ledger, '/images/a.jpg', stored('/images/a.jpg', 1));
    await put(admin.ledger, '/images/b.jpg', missing);
    const { body } = await get('/api/recent');
    expect(body.assets.map(({ path }: { path: string }) => path)).toEqual(['/images/b.jpg', '/images/a.jpg']);
  });

  test('mappings are shown without their credentials', async () => {
    const response = await get('/api/mappings');
    expect(response.body.mappings[1]).toMatchObject({ prefix: '/videos/', warm: 'stream', auth: 'basic' });
    expect(response.text).not.toContain('the-origins-password');
  });

  test('the configuration is the redacted one', async () => {
    expect((await get('/api/config')).body).toEqual({ config: { store: { url: '[redacted]' } } });
  });

  test('the overview goes on while the ledger is down, and says so', async () => {
    const { ledger } = admin;
    const down = async () => {
      throw new LedgerUnavailable('connection refused');
    };
    const subscribe = ledger.subscribe.bind(ledger);
    const other = await startAdmin({
      ledger: { lookup: down, query: down, tally: down, tombstone: down, forget: down, subscribe },
    });
    try {
      const ask = (path: string) => request(other.url).get(path).set('authorization', `Bearer ${readToken}`);
      const overview = await ask('/api/overview');
      expect(overview.status).toBe(200);
      expect(overview.body).toMatchObject({ status: { version: '1.2.3' }, jobs: [], coverage: null, recent: null });
      const tally = await ask('/api/tally');
      expect(tally.status).toBe(503);
      expect(tally.body.error).toEqual({
        code: 'ledger-unavailable',
        message: 'the ledger does not answer: connection refused',
      });
    } finally {
      await other.close();
    }
  });
});

describe('retry', () => {
  beforeEach(fill);

  test('makes an attempt before its time and tells the outcome', async () => {
    const { status, body } = await post('/api/retry', { path: '/images/2019/c.jpg', wait: true });
    expect(status).toBe(200);
    expect(body).toMatchObject({ outcome: 'stored', record: { path: '/images/2019/c.jpg', state: 'stored' } });
  });

  test('does not make the caller wait unless asked to', async () => {
    const { promise, resolve } = Promise.withResolvers<MigrationOutcome>();
    const other = await startAdmin({ migrate: () => promise });
    try {
      const response = await request(other.url)
        .post('/api/retry')
        .set('authorization', `Bearer ${operateToken}`)
        .send({ path: '/images/slow.jpg' });
      expect(response.status).toBe(202);
    } finally {
      resolve({ kind: 'postponed', why: 'stopping' });
      await other.close();
    }
  });

  test('tries everything a filter finds, and nothing else', async () => {
    const { status, body } = await post('/api/retry', { filter: { reason: ['origin-timeout', 'origin-denied'] } });
    expect(status).toBe(202);
    expect(body.run).toMatchObject({ action: 'retry', state: 'running' });
    expect(await runOver()).toMatchObject({ state: 'done', seen: 2, changed: 2, failed: 0 });
    expect(admin.migrated.map(({ path }) => path).toSorted()).toEqual(['2019/c.jpg', '2020/d%20e.jpg']);
  });

  test('without a reason tries what failed and what was missing', async () => {
    await post('/api/retry', { filter: { path: '/images/' } });
    expect(await runOver()).toMatchObject({ state: 'done', seen: 3 });
  });

  test('reads a stored asset again only when told to refresh', async () => {
    const refused = await post('/api/retry', { path: '/images/a.jpg' });
    expect(refused.status).toBe(409);
    expect(refused.body.error.message).toContain('use "redo": "refresh"');
    const { body } = await post('/api/retry', { path: '/images/a.jpg', redo: 'refresh', wait: true });
    expect(body.record.copy.bytes).toBe(4_321);
  });

  test('leaves a running upload and a deleted asset alone', async () => {
    expect((await post('/api/retry', { path: '/videos/v.mp4' })).body.error.code).toBe('under-way');
    await post('/api/tombstone', { path: '/images/a.jpg' });
    expect((await post('/api/retry', { path: '/images/a.jpg', redo: 'refresh' })).body.error.code).toBe('tombstoned');
  });

  test('tells why nothing was tried', async () => {
    await admin.close();
    admin = await startAdmin({ migrate: async () => ({ kind: 'postponed', why: 'overloaded' }) });
    const { status, body } = await post('/api/retry', { path: '/images/a.jpg', wait: true });
    expect(status).toBe(503);
    expect(body.error).toEqual({
      code: 'not-tried',
      message: 'not tried: too many uploads wait already: try again later',
    });
  });

  test('reports an attempt in the background that could not be made', async () => {
    await admin.close();
    admin = await startAdmin({ migrate: () => Promise.reject(new LedgerUnavailable('down')) });
    expect((await post('/api/retry', { path: '/images/a.jpg' })).status).toBe(202);
    expect(admin.reported).toEqual([expect.any(LedgerUnavailable)]);
  });
});

describe('purge', () => {
  beforeEach(fill);

  test('forgets one asset', async () => {
    expect((await post('/api/purge', { path: '/images/a.jpg' })).status).toBe(200);
    expect(await admin.ledger.lookup(keyOf('/images/a.jpg'))).toBeUndefined();
    expect((await post('/api/purge', { path: '/images/a.jpg' })).status).toBe(404);
  });

  test('forgets all under a path, and counts them before when asked to', async () => {
    const filter = { mapping: '/images/', path: '2019/' };
    expect((await post('/api/purge', { filter, dryRun: true })).body).toEqual({ count: 2, complete: true });
    expect(await admin.ledger.lookup(keyOf('/images/2019/b.jpg'))).toBeDefined();
    await post('/api/purge', { filter });
    expect(await runOver()).toMatchObject({ action: 'purge', state: 'done', seen: 2, changed: 2 });
    expect((await get('/api/assets')).body.assets).toHaveLength(4);
  });

  test('of many needs a mapping, so that nobody empties the ledger by a slip', async () => {
    const { status, body } = await post('/api/purge', { filter: {} });
    expect(status).toBe(400);
    expect(body.error.message).toContain('filter.mapping');
  });

  test('works by key for an asset whose mapping is gone', async () => {
    const key = { mapping: '/old/', path: 'x.jpg', query: '' };
    await admin.ledger.tombstone(key, 'https://old.example.com/x.jpg');
    expect((await post('/api/purge', { key })).body).toEqual({
      path: '/old/x.jpg',
      purged: true,
      outcome: 'forgotten',
    });
  });

  test('replaces a copy in service where the mapping follows drift: there is a copy at every moment', async () => {
    const path = '/videos/new.mp4';
    await post('/api/retry', { path, wait: true });
    expect((await post('/api/purge', { path })).body).toEqual({ path, purged: true, outcome: 'refreshed' });
    expect(admin.migrated.slice(-2)).toEqual([keyOf(path), keyOf(path)]);
    expect((await admin.ledger.lookup(keyOf(path)))?.state).toBe('stored');
  });
});

describe('tombstone', () => {
  test('lets no upload happen until it is purged', async () => {
    const { body } = await post('/api/tombstone', { path: '/images/a.jpg' });
    expect(body).toEqual({ path: '/images/a.jpg', tombstoned: true });
    expect((await admin.ledger.lookup(keyOf('/images/a.jpg')))?.state).toBe('tombstoned');
  });

  test('needs a mapping that fits', async () => {
    const { status, body } = await post('/api/tombstone', { path: '/elsewhere/a.jpg' });
    expect(status).toBe(404);
    expect(body.error).toEqual({ code: 'no-mapping', message: expect.stringContaining('there are /images/') });
  });
});

describe('runs over many assets', () => {
  test('go one at a time, can be stopped, and end with the process', async () => {
    await admin.close();
    const waiting: ((outcome: MigrationOutcome) => void)[] = [];
    const finishAll = () => {
      for (const finish of waiting) finish({ kind: 'postponed', why: 'superseded' });
    };
    const stop = new AbortController();
    admin = await startAdmin({
      migrate: () => new Promise((resolve) => void waiting.push(resolve)),
      signal: stop.signal,
    });
    for (let number = 0; number < 20; number += 1) {
      await put(admin.ledger, `/images/${number}.jpg`, failed('origin-timeout', 'no answer'));
    }
    const { body } = await post('/api/retry', { filter: {} });
    await vi.waitFor(() => expect(waiting).toHaveLength(4));
    const second = await post('/api/retry', { filter: {} });
    expect(second.status).toBe(409);
    expect(second.body.error.message).toContain(`POST /api/runs/${body.run.id}/stop`);
    await post(`/api/runs/${body.run.id}/stop`, {});
    finishAll();
    expect(await runOver()).toMatchObject({ state: 'stopped', seen: 4 });

    await post('/api/retry', { filter: {} });
    await vi.waitFor(() => expect(waiting).toHaveLength(8));
    stop.abort();
    finishAll();
    expect(await runOver()).toMatchObject({ state: 'stopped', seen: 4 });
  });

  test('that nobody knows cannot be stopped', async () => {
    expect((await post('/api/runs/none/stop', {})).status).toBe(404);
  });

  test('tell how many went wrong and why, and finish the others', async () => {
    await admin.close();
    admin = await startAdmin({
      migrate: async ({ path }) => {
        if (path === 'bad.jpg') throw new Error('its mapping is gone');
        return { kind: 'postponed', why: 'stopping' };
      },
    });
    await put(admin.ledger, '/images/bad.jpg', failed('origin-timeout', 'no answer'));
    await put(admin.ledger, '/images/good.jpg', failed('origin-timeout', 'no answer'));
    await post('/api/retry', { filter: {} });
    expect(await runOver()).toMatchObject({
      state: 'done',
      seen: 2,
      changed: 0,
      failed: 2,
      problem: 'not tried: this process is stopping: ask another one',
    });
  });
});
