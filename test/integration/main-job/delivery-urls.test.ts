import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ChaosOrigin, startChaosOrigin } from '../../support/chaos-origin.ts';
import { curl } from '../../support/command.ts';
import { type LazyferryProcess, startLazyferry } from '../../support/lazyferry-process.ts';
import { proxyConfig } from '../../support/proxy-config.ts';

const photo = readFileSync(join(import.meta.dirname, '../../../sample/media/photos/lake.jpg'));

let origin: ChaosOrigin;
let proxy: LazyferryProcess;

beforeAll(async () => {
  origin = await startChaosOrigin();
  for (const name of ['first', 'second', 'third', 'fourth']) origin.put(`/pictures/${name}.jpg`, photo);
  const common = { origin: `${origin.url}/pictures/`, network: { allowPrivate: true } };
  proxy = await startLazyferry({
    args: [
      '--config',
      proxyConfig(
        {
          mappings: [
            { prefix: '/img/', folder: 'site/pictures', transformation: 'q_auto', ...common },
            { prefix: '/few/', folder: 'site/few', firstTouch: { perClient: 1 }, ...common },
            { prefix: '/resized/', folder: 'resized', queryTransformation: true, ...common },
          ],
        },
        { keep: true },
      ),
    ],
  });
});

afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await origin?.close();
});

const stored = (path: string) =>
  proxy.logged(({ event, asset }) => event === 'stored' && (asset as { path: string }).path === path);

test('a conversion asked for before anybody asked for the original finds it at the origin, and leads to the converted copy', async () => {
  const url = `${proxy.delivery}/local/image/upload/w_120/v1/site/pictures/first.webp`;
  const cold = await curl(url);
  expect(cold).toMatchObject({ status: 200, headers: { 'content-type': 'image/jpeg' } });
  expect(cold.body.equals(photo)).toBe(true);
  await stored('first.jpg');

  const warm = await curl(url);
  expect(warm.headers.location).toMatch(/\/image\/upload\/w_120\/q_auto\/v\d+\/site\/pictures\/first_jpg\.webp$/);
  const followed = await curl(url, '-L');
  const { format, width } = await sharp(followed.body).metadata();
  expect({ format, width }).toEqual({ format: 'webp', width: 120 });
  // The copy is known by now: the next conversion asks the origin nothing.
  const asked = origin.requests.length;
  expect((await curl(url.replace('.webp', '.avif'))).status).toBe(302);
  expect(origin.requests.length).toBe(asked);
});

test('a name that the origin has in no format is looked for once, not with each request', async () => {
  const url = `${proxy.delivery}/local/image/upload/site/pictures/nowhere.webp`;
  expect((await curl(url)).status).toBe(404);
  await proxy.logged(
    ({ event, asset }) => event === 'not-stored' && (asset as { path: string }).path === 'nowhere.webp',
  );
  const asked = origin.requests.length;
  for (let time = 0; time < 3; time += 1) expect((await curl(url)).status).toBe(404);
  expect(origin.requests.length).toBe(asked);
});

test('who has spent the budget of first touches makes us ask the origin for what the URL names, and for nothing else', async () => {
  const ask = (name: string) => curl(`${proxy.delivery}/local/image/upload/site/few/${name}.webp`);
  await ask('third');
  await stored('third.jpg');
  const asked = origin.requests.length;
  expect((await ask('fourth')).status).toBe(404);
  expect(origin.requests.slice(asked).map(({ method, url }) => `${method} ${url}`)).toEqual([
    'GET /pictures/fourth.webp',
  ]);
});

test('a name that the origin has in no format is a 404', async () => {
  const answer = await curl(`${proxy.delivery}/local/image/upload/site/pictures/nothing.webp`);
  expect(answer.status).toBe(404);
});

test('the mapping’s transformation is added to the site’s own paths', async () => {
  await curl(`${proxy.delivery}/img/second.jpg`);
  await stored('second.jpg');
  const { location = '' } = (await curl(`${proxy.delivery}/img/second.jpg`)).headers;
  expect(location).toMatch(/\/image\/upload\/q_auto\/v\d+\/site\/pictures\/second_jpg\.jpg$/);
});

test('the query of other image services becomes a transformation, and is no part of the asset', async () => {
  const url = `${proxy.delivery}/resized/third.jpg`;
  expect((await curl(`${url}?w=300&h=200&fit=crop`)).body.equals(photo)).toBe(true);
  await stored('third.jpg');
  const { location = '' } = (await curl(`${url}?w=300&h=200&fit=crop`)).headers;
  expect(location).toMatch(/\/image\/upload\/c_fill,h_200,w_300\/v\d+\/resized\/third_jpg\.jpg$/);
  const resized = await sharp((await curl(`${url}?w=300&h=200&fit=crop`, '-L')).body).metadata();
  expect([resized.width, resized.height]).toEqual([300, 200]);
  // Nothing but what the rules know reaches the store's URL.
  const odd = await curl(`${url}?w=../../evil&utm_source=x`);
  expect(odd.headers.location).toMatch(/\/image\/upload\/v\d+\/resized\/third_jpg\.jpg$/);
});

test.each([
  '/other-cloud/image/upload/v1/site/pictures/fourth.jpg',
  '/local/image/private/v1/site/pictures/fourth.jpg',
])('a delivery URL of another cloud or type is not ours: %s', async (path) => {
  expect((await curl(`${proxy.delivery}${path}`)).status).toBe(404);
});
