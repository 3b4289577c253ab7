import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countBadInputs } from '../support/bad-inputs.ts';
import { type Canary, inParallel, startCanary } from '../support/canary.ts';
import { residentBytes } from '../support/proc.ts';
import { getRaw } from '../support/raw-http.ts';

const lake = readFileSync(new URL('../../sample/media/photos/lake.jpg', import.meta.url));
/** First touches of one client a minute, where the query names the object. */
const budget = 5;

let canary: Canary;

beforeAll(async () => {
  canary = await startCanary([
    { prefix: '/ignored/' },
    { prefix: '/keyed/', query: 'key', firstTouch: { perClient: budget } },
    { prefix: '/drawn/', queryTransformation: true },
  ]);
  for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) canary.origin.put(`/base/${name}`, lake);
});
afterAll(() => canary?.[Symbol.asyncDispose]());

const storedFrom = (prefix: string) =>
  canary.proxy.logs.filter(
    ({ event, asset }) => event === 'stored' && (asset as { mapping?: string } | undefined)?.mapping === prefix,
  );

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
  const listed = await fetch(`${proxy.admin}/api/assets?mapping=/keyed/&limit=100`);
  const { assets } = (await listed.json()) as { assets: readonly unknown[] };
  expect(assets.length).toBeGreaterThanOrEqual(budget);
  // The budget fills again while the test runs.
  expect(assets.length).toBeLessThanOrEqual(budget * 2);
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
