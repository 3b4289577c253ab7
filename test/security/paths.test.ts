import { afterAll, beforeAll, expect, test } from 'vitest';
import { countBadInputs } from '../support/bad-inputs.ts';
import { type Canary, inParallel, startCanary } from '../support/canary.ts';
import { eventLoopLag } from '../support/event-loop.ts';
import { getRaw, type RawAnswer } from '../support/raw-http.ts';
import { lineBreaks, strangers, traversals } from './path-corpus.ts';

let canary: Canary;

beforeAll(async () => {
  canary = await startCanary([
    { prefix: '/images/', folder: 'site/images' },
    { prefix: '/keyed/', folder: 'site/keyed', query: 'key' },
    { prefix: '/away/', folder: 'site/away', cold: 'redirect' },
  ]);
  for (const path of ['/secret.txt', '/base/../secret.txt', '/etc/passwd']) canary.origin.put(path, 'a secret');
});

afterAll(async () => {
  await canary?.[Symbol.asyncDispose]();
});

/** Every reading of a path by a careless origin: decoded again and again, backslashes as slashes, parameters dropped. */
function readings(path: string): string[] {
  const found = [path];
  for (let depth = 0; depth < 5; depth += 1) {
    const decoded = (found.at(-1) ?? '').replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    );
    found.push(decoded);
  }
  return found.map((reading) =>
    reading
      .replaceAll('\\', '/')
      .replaceAll(/;[^/]*/g, '')
      .replaceAll(/[^\x20-\xff]/g, ''),
  );
}

function expectWithinMapping(): void {
  // What is harmless does get there: the canary sings.
  expect(canary.origin.requests.length).toBeGreaterThan(100);
  for (const { url } of canary.origin.requests) {
    for (const reading of readings(url.split('?', 1)[0] ?? '')) {
      expect(reading.startsWith('/base/'), url).toBe(true);
      expect(reading.split('/'), url).not.toContain('..');
    }
    expect(url, 'a request line is printable').toMatch(/^[\x21-\x7e]+$/);
  }
  expect(canary.strangerConnections).toBe(0);
}

/** Nothing of what a client writes ends as a header or an answer of its own, or leads to where it says. */
function expectHarmless(answer: RawAnswer, target: string): void {
  expect(answer.statuses, target).toHaveLength(1);
  expect(answer.status, target).not.toBe(0);
  expect(answer.status, target).not.toBe(500);
  expect(answer.text, target).not.toContain('a secret');
  expect(answer.headers, target).not.toHaveProperty('x-injected');
  expect(answer.headers, target).not.toHaveProperty('set-cookie');
  const { location } = answer.headers;
  if (location === undefined) return;
  const allowed = [`${canary.origin.url}/base/`, `${canary.proxy.store}/`];
  expect(
    allowed.some((start) => location.startsWith(start) && new URL(location).href.startsWith(start)),
    `${target} → ${location}`,
  ).toBe(true);
}

async function attack(targets: readonly string[]): Promise<void> {
  await inParallel(targets, async (target) => {
    expectHarmless(await getRaw(canary.proxy.delivery, target), target);
  });
  expectWithinMapping();
}

test('no path leads out of its mapping’s origin prefix', async (context) => {
  const tails = traversals();
  await attack(tails.map((tail, index) => `${['/images/', '/away/'][index % 2]}${tail}`));
  countBadInputs(context, tails.length);
});

test('no path leads to another host, to our origin’s root, or into an open redirect', async (context) => {
  const tails = strangers(canary.stranger);
  // After the prefix, instead of it, and as the whole target in absolute and authority form.
  const targets = tails.flatMap((tail) => [`/away/${tail}`, `/${tail}`, tail]).filter((target) => target !== '');
  await attack(targets);
  countBadInputs(context, targets.length);
});

test('no line break in path or query becomes a header, a second answer or a log line of its own', async (context) => {
  const tails = lineBreaks();
  const targets = tails.flatMap((tail) => [`/away/${tail}`, `/keyed/${tail}`, `/images/${tail}`, `/${tail}`]);
  await attack(targets);
  const lines = canary.proxy.output().split('\n');
  for (const line of lines) expect(() => JSON.parse(line), line).not.toThrow();
  countBadInputs(context, targets.length);
});

test('under all of these the event loop goes on', async () => {
  expect((await eventLoopLag(canary.proxy.admin)).p99, 'seconds').toBeLessThan(0.25);
});

test('a prefix matches at the end of a segment only, and to the letter', async (context) => {
  const targets = [
    '/images',
    '/images-evil/a.jpg',
    '/imagesx/a.jpg',
    '/IMAGES/a.jpg',
    '/images%2fa.jpg',
    '//images/a.jpg',
  ];
  const more = [
    '/imag%65s',
    '/x/images/a.jpg',
    '/./images/a.jpg',
    '/%2e/images/a.jpg',
    '/__proto__/a',
    '/constructor/a',
  ];
  const before = canary.origin.requests.length;
  for (const target of [...targets, ...more]) {
    const { status } = await getRaw(canary.proxy.delivery, target);
    expect([400, 404], target).toContain(status);
  }
  expect(canary.origin.requests.length).toBe(before);
  countBadInputs(context, targets.length + more.length);
});

test('nothing of the admin side can be reached through the delivery side', async (context) => {
  const { admin, delivery } = canary.proxy;
  const routes = [
    '/metrics',
    '/healthz',
    '/readyz',
    '/api/overview',
    '/api/assets',
    '/api/config',
    '/static/main.js',
    '/',
  ];
  for (const route of routes) expect((await fetch(admin + route)).status, `${route} of the admin side`).toBe(200);
  const spellings = [...routes.flatMap((route) => [route, `/${route}`]), '/%6detrics', '/%61pi/overview'];
  const host = `Host: ${new URL(admin).host}`;
  for (const target of [...spellings, '/images/../metrics', '/images/%2e%2e/api/overview']) {
    for (const line of ['X-Original-URL: /metrics', `X-Forwarded-${host}`]) {
      expect([400, 404], target).toContain((await getRaw(delivery, target, line)).status);
    }
  }
  for (const change of ['/api/retry', '/api/purge', '/api/tombstone', '/login']) {
    expect((await fetch(delivery + change, { method: 'POST' })).status, change).toBe(405);
  }
  countBadInputs(context, (spellings.length + 2) * 2 + 4);
});

test('everything that was asked for stays in its folder at the store', async () => {
  const answer = await fetch(`${canary.proxy.admin}/api/assets?limit=1000`);
  const { assets } = (await answer.json()) as { assets: { copy?: { publicId: string }; key: { path: string } }[] };
  expect(assets.length).toBeGreaterThan(0);
  for (const { copy, key } of assets) {
    expect(key.path.split(/[/;]/)).not.toContain('..');
    if (copy !== undefined) expect(copy.publicId).toMatch(/^site\/(?:images|keyed|away)\//);
  }
});

test('8 kB of path are taken, and more answered 414 without a look at the origin', async (context) => {
  const longest = `/images/${'a'.repeat(8192 - 8)}`;
  expect((await getRaw(canary.proxy.delivery, longest)).status).not.toBe(414);
  const before = canary.origin.requests.filter(({ url }) => url.length > 8192).length;
  expect((await getRaw(canary.proxy.delivery, `${longest}a`)).status).toBe(414);
  expect(canary.origin.requests.filter(({ url }) => url.length > 8192).length).toBe(before);
  countBadInputs(context, 1);
});

test('the admin side takes any text for a path, half characters too, and says what is wrong with it', async (context) => {
  const texts = [
    '/images/\ud800',
    '/images/\udfff.jpg',
    '/images/\0',
    '/images/é/../x',
    '/images/%',
    '/\u2028',
    '/images/ü',
  ];
  for (const path of texts) {
    const answer = await fetch(`${canary.proxy.admin}/api/retry`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-lazyferry-request': '1' },
      body: JSON.stringify({ path }),
    });
    expect([202, 404], JSON.stringify(path)).toContain(answer.status);
  }
  expect(canary.proxy.logs.filter(({ event }) => event === 'admin-failed')).toEqual([]);
  countBadInputs(context, texts.length);
});
