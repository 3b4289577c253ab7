import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { admin, startStore, upload } from '../integration/media-store/harness.ts';
import { countBadInputs } from '../support/bad-inputs.ts';
import { type Canary, inParallel, startCanary } from '../support/canary.ts';
import { problemsOf, withMapping } from '../support/config-file.ts';
import { getRaw } from '../support/raw-http.ts';

/** What every object has without being given it. */
const inherited = [...Object.getOwnPropertyNames(Object.prototype), 'prototype', 'then', 'toJSON', 'length', 'name'];
const png = readFileSync(new URL('../../sample/media/twins/a.png', import.meta.url));

/** Mappings may be called so too. */
const prefixes = ['__proto__', 'constructor'];

let canary: Canary;

beforeAll(async () => {
  canary = await startCanary([
    { prefix: '/images/', folder: 'site/images' },
    { prefix: '/keyed/', folder: 'site/keyed', query: ['v', '__proto__', 'constructor'] },
    { prefix: '/drawn/', folder: 'site/drawn', queryTransformation: true },
    ...prefixes.map((name) => ({ prefix: `/${name}/`, folder: name })),
  ]);
});
afterAll(() => canary?.[Symbol.asyncDispose]());

test('a path that names what every object inherits is an asset like any other', async (context) => {
  const { proxy, origin } = canary;
  await inParallel(inherited, async (name) => {
    if (!prefixes.includes(name)) expect((await getRaw(proxy.delivery, `/${name}/a.png`)).status, name).toBe(404);
    expect((await getRaw(proxy.delivery, `/images/missing/${name}`)).status, name).toBe(404);
    origin.put(`/base/${name}.png`, png, { type: 'image/png' });
    expect((await getRaw(proxy.delivery, `/images/${name}.png`)).status, name).toBe(200);
    const line = await proxy.logged(
      ({ event, asset }) => event === 'stored' && (asset as { path?: string }).path === `${name}.png`,
    );
    expect(line.publicId, name).toMatch(/^site\/images\//);
    const warm = await getRaw(proxy.delivery, `/images/${name}.png`);
    expect(warm.status, name).toBe(302);
    expect(Buffer.from(await (await fetch(String(warm.headers.location))).arrayBuffer()).equals(png), name).toBe(true);
  });
  countBadInputs(context, inherited.length * 3);
});

test('a mapping by such a name is one like any other', async (context) => {
  const { proxy, origin } = canary;
  origin.put('/base/mapped.png', png, { type: 'image/png' });
  for (const name of prefixes) {
    expect((await getRaw(proxy.delivery, `/${name}/mapped.png`)).status, name).toBe(200);
    const stored = await proxy.logged(
      ({ event, asset }) => event === 'stored' && (asset as { mapping?: string }).mapping === `/${name}/`,
    );
    expect(stored.publicId).toMatch(`${name}/mapped`);
    const copy = String((await getRaw(proxy.delivery, `/${name}/mapped.png`)).headers.location);
    expect(Buffer.from(await (await fetch(copy)).arrayBuffer()).equals(png), name).toBe(true);
  }
  const tally = await (await fetch(`${proxy.admin}/api/tally`)).text();
  for (const name of prefixes) expect(tally).toContain(`"/${name}/"`);
  countBadInputs(context, prefixes.length);
});

test('queries, headers and transformations by such names change no answer', async (context) => {
  const { proxy, origin } = canary;
  origin.put('/base/one.png', png, { type: 'image/png' });
  for (const prefix of ['/keyed/', '/drawn/']) {
    await getRaw(proxy.delivery, `${prefix}one.png`);
    await proxy.logged(({ event, asset }) => event === 'stored' && (asset as { mapping?: string }).mapping === prefix);
  }
  const plain = await getRaw(proxy.delivery, '/drawn/one.png');
  const copy = String(plain.headers.location);
  await inParallel(inherited, async (name) => {
    for (const query of [`${name}=1`, `${name}[a]=1`, `a[${name}]=1`, `w=${name}`, `fit=${name}`, `fm=${name}`]) {
      const answer = await getRaw(proxy.delivery, `/drawn/one.png?${query}`);
      expect(answer.status, query).toBe(302);
      expect(answer.headers.location, query).toBe(copy);
    }
    expect((await getRaw(proxy.delivery, '/drawn/one.png', `${name}: 1`)).headers.location, name).toBe(copy);
    expect([200, 302], name).toContain((await getRaw(proxy.delivery, `/keyed/one.png?${name}=1&v=1`)).status);
    for (const form of [`${name}_1`, `e_${name}`, `c_${name},w_9`, `g_${name},c_fill,w_9`, `f_${name}`, `t_${name}`]) {
      const { status } = await fetch(copy.replace('/upload/', `/upload/${form}/`));
      expect([400, 404], form).toContain(status);
    }
  });
  countBadInputs(context, inherited.length * 14);
});

test('the admin side takes such names for unknown ones', async (context) => {
  const { proxy } = canary;
  for (const name of inherited) {
    for (const path of [`/api/${name}`, `/${name}`, `/api/assets?${name}[state]=stored`, `/api/assets?state=${name}`]) {
      const { status } = await fetch(`${proxy.admin}${path}`);
      expect([400, 404], path).toContain(status);
    }
    const answer = await fetch(`${proxy.admin}/api/retry`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"${name}":{"mapping":"/images/"}}`,
    });
    expect([400, 401, 403, 404], name).toContain(answer.status);
  }
  expect((await (await fetch(`${proxy.admin}/api/assets?mapping=/images/`)).json()) as object).toHaveProperty('assets');
  countBadInputs(context, inherited.length * 5);
});

test('the embedded store keeps such names of context, metadata and tags as data of this asset alone', async (context) => {
  const store = await startStore();
  for (const name of inherited) {
    const file = new File([png], 'a.png');
    const given = { context: `${name}=a|b=c`, metadata: `${name}=a`, tags: name, public_id: `site/${name}` };
    const { status, body } = await upload(store, { file, ...given });
    expect(status, name).toBe(200);
    expect(Object.entries(body.context.custom), name).toContainEqual([name, 'a']);
    expect(body.tags, name).toEqual([name]);
    const read = await admin(store, 'GET', `/resources/image/upload/site/${name}`);
    expect(Object.entries(read.body.context.custom), name).toContainEqual([name, 'a']);
    expect((await upload(store, { file, [name]: 'a' })).status, `parameter ${name}`).toBe(400);
  }
  const { body } = await upload(store, { file: new File([png], 'a.png'), context: 'x=y' });
  expect(body.context.custom).toEqual({ x: 'y' });
  for (const name of inherited.filter((known) => !(known in {}))) expect({}, name).not.toHaveProperty(name);
  countBadInputs(context, inherited.length * 4);
});

test('in the configuration they are unknown keys, named with their place', (context) => {
  for (const name of inherited) {
    const problems = problemsOf(withMapping(`${name}: 1`, `${name}: { a: 1 }`));
    expect(problems.map(({ key }) => key).sort(), name).toEqual([`mappings[0].${name}`, name].sort());
  }
  countBadInputs(context, inherited.length * 2);
});
