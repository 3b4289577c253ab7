import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SampleOrigin, startSampleOrigin } from '../../../sample/origin.ts';
import { curl } from '../../support/command.ts';
import { type LazyferryProcess, startLazyferry } from '../../support/lazyferry-process.ts';
import { proxyConfig, temporaryFolder } from '../../support/proxy-config.ts';

const media = join(import.meta.dirname, '../../../sample/media');
const files = readdirSync(media, { recursive: true, encoding: 'utf8' }).filter((name) =>
  statSync(join(media, name)).isFile(),
);

const lake = readFileSync(join(media, 'photos/lake.jpg'));

let origin: SampleOrigin;
let proxy: LazyferryProcess;

beforeAll(async () => {
  origin = await startSampleOrigin({ host: '127.0.0.1', port: 0 });
  const common = { origin: origin.url, network: { allowPrivate: true } };
  proxy = await startLazyferry({
    args: [
      '--config',
      proxyConfig(
        {
          mappings: [
            { prefix: '/redirect/', ...common },
            { prefix: '/stream/', warm: 'stream', ...common },
            { prefix: '/wait/', cold: 'wait', ...common },
            { prefix: '/away/', cold: 'redirect', ...common },
            { prefix: '/head/', ...common },
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

const encoded = (file: string) => file.split('/').map(encodeURIComponent).join('/');

async function stored(path: string): Promise<void> {
  const name = decodeURIComponent(path);
  await proxy.logged(({ event, asset }) => {
    const { mapping = '', path: rest = '' } = (asset ?? {}) as { mapping?: string; path?: string };
    return event === 'stored' && decodeURIComponent(`${mapping}${rest}`) === name;
  });
}

describe.each(files)('%s', (file) => {
  const bytes = readFileSync(join(media, file));
  const middle = [Math.floor(bytes.length / 3), Math.floor(bytes.length / 2)] as const;

  test('comes from the origin first, then leads to a copy that is the same, byte for byte, whole and by range', async () => {
    const url = `${proxy.delivery}/redirect/${encoded(file)}`;
    const cold = await curl(url);
    expect(cold).toMatchObject({
      code: 0,
      status: 200,
      headers: { 'cache-status': 'lazyferry; fwd=uri-miss; fwd-status=200' },
    });
    expect(cold.body.equals(bytes)).toBe(true);
    await stored(`/redirect/${encoded(file)}`);

    const warm = await curl(url);
    expect(warm).toMatchObject({ status: 302, headers: { 'cache-status': 'lazyferry; hit' } });
    expect(warm.headers.location).toMatch(new RegExp(`^${proxy.store}/local/(image|video|raw)/upload/v\\d+/redirect/`));
    const followed = await curl(url, '-L');
    expect(followed).toMatchObject({ code: 0, status: 200 });
    expect(followed.body.equals(bytes)).toBe(true);
    const part = await curl(url, '-L', '-r', middle.join('-'));
    expect(part.status).toBe(206);
    expect(part.body.equals(bytes.subarray(middle[0], middle[1] + 1))).toBe(true);
  });

  test('is streamed the same, byte for byte, whole and by range, where the mapping streams', async () => {
    const url = `${proxy.delivery}/stream/${encoded(file)}`;
    const coldPart = await curl(url, '-r', middle.join('-'));
    expect(coldPart.status).toBe(206);
    expect(coldPart.body.equals(bytes.subarray(middle[0], middle[1] + 1))).toBe(true);
    await stored(`/stream/${encoded(file)}`);

    const warm = await curl(url);
    expect(warm).toMatchObject({ code: 0, status: 200, headers: { 'cache-status': 'lazyferry; hit' } });
    expect(warm.body.equals(bytes)).toBe(true);
    const part = await curl(url, '-r', middle.join('-'));
    expect(part).toMatchObject({
      status: 206,
      headers: { 'content-range': `bytes ${middle.join('-')}/${bytes.length}` },
    });
    expect(part.body.equals(bytes.subarray(middle[0], middle[1] + 1))).toBe(true);
    const head = await curl(url, '-I');
    expect(head).toMatchObject({ status: 200, headers: { 'content-length': String(bytes.length) } });
  });
});

test('a client that waits is redirected to the copy in its first request', async () => {
  const answer = await curl(`${proxy.delivery}/wait/photos/lake.jpg`);
  expect(answer).toMatchObject({ status: 302, headers: { 'cache-status': 'lazyferry; hit' } });
});

test('a mapping may send its first clients to the origin', async () => {
  const answer = await curl(`${proxy.delivery}/away/photos/lake.jpg`);
  expect(answer).toMatchObject({
    status: 302,
    headers: {
      location: `${origin.url}photos/lake.jpg`,
      'cache-control': 'no-store',
      'cache-status': 'lazyferry; fwd=uri-miss',
    },
  });
  await stored('/away/photos/lake.jpg');
  expect((await curl(`${proxy.delivery}/away/photos/lake.jpg`)).headers.location).toContain(
    `${proxy.store}/local/image/upload/`,
  );
});

test('HEAD answers as GET would, without a body, cold and warm, and starts the copy', async () => {
  const url = `${proxy.delivery}/head/photos/lake.jpg`;
  const cold = await curl(url, '-I');
  expect(cold).toMatchObject({
    status: 200,
    headers: { 'content-type': 'image/jpeg', 'content-length': String(lake.length) },
  });
  await stored('/head/photos/lake.jpg');
  expect(await curl(url, '-I')).toMatchObject({ status: 302, headers: { 'cache-status': 'lazyferry; hit' } });
});

test('a delivery URL in Cloudinary’s grammar finds its origin, and keeps its transformation in the copy’s URL', async () => {
  const path = '/local/image/upload/c_fill,w_300/v1/redirect/albums/2026/november/leaf.webp';
  await stored('/redirect/albums/2026/november/leaf.webp');
  const answer = await curl(`${proxy.delivery}${path}`);
  expect(answer.status).toBe(302);
  expect(answer.headers.location).toMatch(
    /\/image\/upload\/c_fill,w_300\/v\d+\/redirect\/albums\/2026\/november\/leaf_webp\.webp$/,
  );
});

test('a path outside every mapping gets a 404 that says so, as text or as JSON', async () => {
  const text = await curl(`${proxy.delivery}/elsewhere/a.jpg`);
  expect(text.status).toBe(404);
  expect(text.body.toString()).toBe('404 Not Found: No mapping covers this path.\n');
  const json = await curl(`${proxy.delivery}/elsewhere/a.jpg`, '-H', 'accept: application/json');
  expect(JSON.parse(json.body.toString())).toMatchObject({ status: 404, detail: 'No mapping covers this path.' });
});

test('an object that the origin does not have is a 404, which is remembered with its reason', async () => {
  const url = `${proxy.delivery}/redirect/no/such.jpg`;
  expect((await curl(url)).status).toBe(404);
  await proxy.logged(({ event, reason }) => event === 'not-stored' && reason === 'origin-not-found');
  const remembered = await curl(url);
  expect(remembered).toMatchObject({ status: 404, headers: { 'x-lazyferry-reason': 'origin-not-found' } });
});

test('a restart remembers everything', async () => {
  const dataDirectory = temporaryFolder();
  const config = proxyConfig({ mappings: [{ prefix: '/img/', origin: origin.url, network: { allowPrivate: true } }] });
  {
    await using before = await startLazyferry({ args: ['--config', config], dataDirectory });
    await curl(`${before.delivery}/img/photos/lake.jpg`);
    await before.logged(({ event }) => event === 'stored');
    expect(await before.terminate()).toEqual({ code: 0, signal: null });
  }
  await using after = await startLazyferry({ args: ['--config', config], dataDirectory });
  const warm = await curl(`${after.delivery}/img/photos/lake.jpg`, '-L');
  expect(warm.body.equals(lake)).toBe(true);
  expect((await curl(`${after.delivery}/img/photos/lake.jpg`)).status).toBe(302);
});

test('every answer names its request; an id that the CDN gave is kept, one that is unfit for a log is not', async () => {
  for (const path of [
    '/redirect/photos/lake.jpg',
    '/stream/photos/lake.jpg',
    '/elsewhere/a.jpg',
    '/head/twins/a.jpg',
    '/head/none.jpg',
    '/away/none.jpg',
    '/head/../a.jpg',
  ]) {
    const [one, other] = [await curl(`${proxy.delivery}${path}`), await curl(`${proxy.delivery}${path}`)];
    expect(one.headers['x-request-id']).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(other.headers['x-request-id']).not.toBe(one.headers['x-request-id']);
    const named = await curl(`${proxy.delivery}${path}`, '-H', 'x-request-id: cdn-4711');
    expect(named.headers['x-request-id']).toBe('cdn-4711');
    const unfit = await curl(`${proxy.delivery}${path}`, '-H', 'x-request-id: a b"');
    expect(unfit.headers['x-request-id']).toMatch(/^[A-Za-z0-9_-]+$/);
    const options = await curl(
      `${proxy.delivery}${path}`,
      '--path-as-is',
      '-X',
      'OPTIONS',
      '-H',
      'x-request-id: cdn-4711',
    );
    expect(options).toMatchObject({ status: 204, headers: { 'x-request-id': 'cdn-4711' } });
  }
  const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
  expect(metrics).toMatch(/^lazyferry_requests_total\{mapping="none",outcome="options"\} 7$/m);
});
