import { join } from 'node:path';
import { request } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { putAssets } from '../../chaos/assets.ts';
import { startClients } from '../../chaos/clients.ts';
import { Seat } from '../../chaos/seat.ts';
import { patternContent } from '../../support/chaos-content.ts';
import { startChaosOrigin } from '../../support/chaos-origin.ts';
import { startLazyferry } from '../../support/lazyferry-process.ts';
import { proxyConfig, temporaryFolder } from '../../support/proxy-config.ts';
import { startRecordingStore } from '../../support/recording-store.ts';

type Upload = NonNullable<Parameters<typeof proxyConfig>[0]['mappings'][number]['upload']>;

type Allow = NonNullable<Parameters<typeof proxyConfig>[0]['mappings'][number]['allow']>;

async function scene({ grace = '10s', upload = {} as Upload, allow = {} as Allow } = {}) {
  const origin = await startChaosOrigin();
  const store = await startRecordingStore(temporaryFolder());
  onTestFinished(async () => {
    await store[Symbol.asyncDispose]();
    await origin.close();
  });
  const config = proxyConfig({
    store: { uploadPrefix: store.url, deliveryPrefix: store.url },
    ledger: { url: `sqlite:${join(temporaryFolder(), 'ledger.db')}` },
    shutdown: { grace },
    mappings: [{ prefix: '/img/', origin: `${origin.url}/img/`, upload, allow, network: { allowPrivate: true } }],
  });
  const options = { args: ['--config', config], environment: { CLOUDINARY_URL: store.account } };
  return { origin, store, options };
}

test('processes are replaced one after the other under load, and no client notices', { timeout: 90_000 }, async () => {
  const { origin, store, options } = await scene();
  const assets = putAssets(origin, 300);
  await using one = new Seat({ ...options, dataDirectory: temporaryFolder() });
  await using other = new Seat({ ...options, dataDirectory: temporaryFolder() });
  await Promise.all([one.start(), other.start()]);
  const clients = startClients([one, other], assets, 8);
  expect([await one.replace(), await other.replace(), await one.replace()]).toEqual([0, 0, 0]);
  await clients.stop();
  expect(clients.counts).toMatchObject({ wrong: [], cutOff: 0 });
  expect(clients.counts.requests).toBeGreaterThan(300);
  const made = store.uploads.filter(({ answer }) => answer?.existing === false);
  expect(new Set(made.map(({ publicId }) => publicId)).size).toBe(made.length);
});

test('a worker that is killed under load is replaced, and nobody gets wrong bytes', { timeout: 60_000 }, async () => {
  const { origin, store, options } = await scene();
  const assets = putAssets(origin, 200);
  await using proxy = await startLazyferry({ ...options, args: [...options.args, '--workers', '2'] });
  const clients = startClients([{ process: proxy, disturbances: 0 }], assets, 6);
  const { pid } = await proxy.logged(({ event, pid }) => event === 'stored' && pid !== proxy.pid);
  process.kill(Number(pid), 'SIGKILL');
  await proxy.logged(({ event, worker }) => event === 'worker-died' && worker === pid);
  const { worker } = await proxy.logged(({ event }) => event === 'worker-replaced');
  expect(worker).not.toBe(pid);
  await clients.stop();
  // Its own connections were cut with it; every answer that was given was right.
  expect(
    clients.counts.wrong.filter((wrong) => !/other side closed|ECONNRESET|terminated|hang up/.test(wrong)),
  ).toEqual([]);
  expect(clients.counts.wrong.length).toBeLessThanOrEqual(6);
  const made = store.uploads.filter(({ answer }) => answer?.existing === false);
  expect(new Set(made.map(({ publicId }) => publicId)).size).toBe(made.length);
  expect(await proxy.terminate()).toEqual({ code: 0, signal: null });
});

test('SIGTERM in the middle of a large upload ends the process in time; another one takes the upload up by itself', {
  timeout: 90_000,
}, async () => {
  const { origin, store, options } = await scene({ grace: '1s', upload: { via: 'bytes' } });
  const [picture] = putAssets(origin, 1);
  const large = Buffer.concat([picture?.bytes ?? Buffer.alloc(0), Buffer.alloc(48 << 20)]);
  origin.put('/img/large.gif', large, { type: 'image/gif' });
  origin.set('/img/large.gif', { kind: 'stall', after: 40 << 20 });
  {
    await using first = await startLazyferry(options);
    const abandoned = request(`${first.delivery}/img/large.gif`, { headers: { range: 'bytes=0-9' } });
    await store.began(1);
    const startedAt = performance.now();
    expect(await first.terminate()).toEqual({ code: 0, signal: null });
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    await abandoned.then(({ body }) => body.dump()).catch(() => {});
  }
  origin.set('/img/large.gif', undefined);
  await using second = await startLazyferry(options);
  // Nobody asks: the sweeper takes up what was given back.
  await second.logged(({ event }) => event === 'stored');
  expect(store.uploads.filter(({ answer }) => answer?.existing === false).length).toBeGreaterThanOrEqual(1);
});

test('SIGTERM in the middle of a 5 GB upload ends the process in time as well, and another one begins it again', {
  timeout: 90_000,
}, async () => {
  const { origin, store, options } = await scene({
    grace: '1s',
    upload: { via: 'bytes' },
    allow: { types: ['application/*'], maxBytes: '6GB' },
  });
  origin.put('/img/film.bin', patternContent(5_000_000_000), { type: 'application/octet-stream' });
  {
    await using first = await startLazyferry(options);
    const abandoned = request(`${first.delivery}/img/film.bin`, { headers: { range: 'bytes=0-9' } });
    // It goes in chunks: two of them are on their way or there.
    await store.began(2);
    const startedAt = performance.now();
    expect(await first.terminate()).toEqual({ code: 0, signal: null });
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    await abandoned.then(({ body }) => body.dump()).catch(() => {});
  }
  const begun = store.uploads.length;
  await using _second = await startLazyferry(options);
  await store.began(begun + 1);
});
