import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { countBadInputs } from '../support/bad-inputs.ts';
import { type Canary, inParallel, startCanary } from '../support/canary.ts';
import { residentBytes } from '../support/proc.ts';
import { getRaw } from '../support/raw-http.ts';

const lake = readFileSync(new URL('../../sample/media/photos/lake.jpg', import.meta.url));
/** First touches of one client a minute, where the query names the object. */
const budget = 5;
/** Records that the ledger keeps of what does not exist. */
const mostIdle = 50;

let canary: Canary;

beforeAll(async () => {
  canary = await startCanary(
    [
      { prefix: '/ignored/' },
      { prefix: '/keyed/', query: 'key', firstTouch: { perClient: budget } },
      { prefix: '/paced/', query: 'key', firstTouch: { perSecond: 0.01 } },
      { prefix: '/free/', query: 'key' },
      { prefix: '/drawn/', queryTransformation: true },
    ],
    { ledger: { idle: { most: mostIdle } } },
  );
  for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) canary.origin.put(`/base/${name}`, lake);
});
afterAll(() => canary?.[Symbol.asyncDispose]());

const storedFrom = (prefix: string) =>
  canary.proxy.logs.filter(
    ({ event, asset }) => event === 'stored' && (asset as { mapping?: string } | undefined)?.mapping === prefix,
  );

async function recordsOf(prefix: string): Promise<number> {
  const listed = await fetch(`${canary.proxy.admin}/api/assets?mapping=${prefix}&limit=1000`);
  return ((await listed.json()) as { assets: readonly unknown[] }).assets.length;
}

async function idleDropped(): Promise<number> {
  const metrics = await (await fetch(`${canary.proxy.admin}/metrics`)).text();
  const counts = metrics.matchAll(/^lazyferry_idle_dropped_total(?:\{.*\})? (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

function queries(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `cb=${index}&${'x'.repeat(index % 50)}=1`);
}

test('any number of queries on one path are one object: read once, uploaded once', async (context) => {
  const { proxy, origin } = canary;
  const asked = queries(2_000);
  const memory = residentBytes(proxy.pid);
  await inParallel(asked, async (query) => {
    expect([200, 302]).toContain((await getRaw(proxy.delivery, `/ignored/a.jpg?${query}`)).status);
  });
  await proxy.logged((line) => storedFrom('/ignored/').includes(line));
  expect(storedFrom('/ignored/')).toHaveLength(1);
  // One for the clients; the embedded store reads by itself.
  expect(origin.bodyReads('/base/a.jpg')).toBeLessThanOrEqual(2);
  expect((residentBytes(proxy.pid) - memory) / asked.length, 'bytes a query').toBeLessThan(40_000);
  countBadInputs(context, asked.length);
});

test('where the query names the object, a client has its budget of uploads, and the origin’s bytes beyond it', async (context) => {
  const { proxy } = canary;
  const asked = queries(300);
  await inParallel(asked, async (query) => {
    const answer = await getRaw(proxy.delivery, `/keyed/b.jpg?${query}`);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-length']).toBe(String(lake.length));
  });
  await vi.waitUntil(async () => (await recordsOf('/keyed/')) >= budget, { timeout: 20_000, interval: 100 });
  // The budget fills again while the test runs.
  expect(await recordsOf('/keyed/')).toBeLessThanOrEqual(budget * 2);
  countBadInputs(context, asked.length);
});

test('however many clients ask, a mapping starts no more than its rate', async (context) => {
  const asked = queries(100);
  await inParallel(asked, async (query) => {
    expect((await getRaw(canary.proxy.delivery, `/paced/b.jpg?${query}`)).status).toBe(200);
  });
  await canary.proxy.logged((line) => storedFrom('/paced/').includes(line));
  expect(await recordsOf('/paced/')).toBe(1);
  countBadInputs(context, asked.length);
});

test('queries on what does not exist leave no more records than the bound', async (context) => {
  const asked = queries(500);
  await inParallel(asked, async (query) => {
    expect((await getRaw(canary.proxy.delivery, `/free/nothing.jpg?${query}`)).status).toBe(404);
  });
  await vi.waitUntil(async () => (await recordsOf('/free/')) <= mostIdle, { timeout: 20_000, interval: 100 });
  expect(await idleDropped(), 'they were more').toBeGreaterThanOrEqual(asked.length - mostIdle);
  countBadInputs(context, asked.length);
});

test('transformations that clients make up cost no memory that stays', async (context) => {
  const { proxy } = canary;
  await getRaw(proxy.delivery, '/drawn/c.jpg');
  await proxy.logged((line) => storedFrom('/drawn/').includes(line));
  const ask = (count: number, offset: number) =>
    inParallel(
      Array.from(
        { length: count },
        (_, index) => `/drawn/c.jpg?w=${1 + ((index + offset) % 4_000)}&h=${1 + (index % 97)}`,
      ),
      async (target) => expect((await getRaw(proxy.delivery, target)).status).toBe(302),
    );
  await ask(1_000, 0);
  const memory = residentBytes(proxy.pid);
  await ask(2_000, 1_000);
  expect((residentBytes(proxy.pid) - memory) / 2_000, 'bytes a form').toBeLessThan(20_000);
  countBadInputs(context, 3_000);
});
