import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { failureOf } from '../../contract/origin.contract.ts';
import { patternContent } from '../../support/chaos-content.ts';
import { startChaosOrigin } from '../../support/chaos-origin.ts';
import { startHastyServer } from '../../support/hasty-server.ts';
import { openOrigin, readAll } from './bench.ts';

describe('connections to the origin', () => {
  test('are kept and never more than configured, for any number of requests', async () => {
    await using chaos = await startChaosOrigin();
    chaos.put('/images/a.jpg', patternContent(50_000));
    await using origin = openOrigin(`${chaos.url}/images/`, { network: { connections: 4 } });
    await Promise.all(Array.from({ length: 200 }, () => readAll(origin, `${chaos.url}/images/a.jpg`)));
    expect(chaos.requests).toHaveLength(200);
    expect(chaos.connections).toBeLessThanOrEqual(4);
  });

  test('are free again after HEAD, 304, 404, redirects and refusals, though nobody reads those bodies', async () => {
    await using chaos = await startChaosOrigin();
    const { etag } = chaos.put('/images/a.jpg', 'picture');
    chaos.set('/images/moved.jpg', { kind: 'redirect', to: '/images/a.jpg' });
    chaos.set('/images/evil.jpg', { kind: 'redirect', to: 'https://evil.test/' });
    chaos.set('/images/get-only.jpg', { kind: 'no-head', status: 405 });
    chaos.put('/images/get-only.jpg', patternContent(10_000_000));
    await using origin = openOrigin(`${chaos.url}/images/`, { network: { connections: 1 } });
    const url = (name: string) => `${chaos.url}/images/${name}.jpg`;
    for (let round = 0; round < 3; round += 1) {
      await origin.describe({ url: url('a') });
      await origin.describe({ url: url('a'), conditions: { 'if-none-match': etag ?? '' } });
      await origin.describe({ url: url('missing') });
      await origin.describe({ url: url('moved') });
      await origin.describe({ url: url('get-only') });
      await failureOf(origin.open({ url: url('evil') }));
    }
    expect(await readAll(origin, url('a'))).toBe('picture');
  });

  test('are closed when a body is given up half-way, and the next request gets another', async () => {
    await using chaos = await startChaosOrigin();
    chaos.put('/images/film.mp4', patternContent(2_000_000_000));
    chaos.put('/images/a.jpg', 'picture');
    await using origin = openOrigin(`${chaos.url}/images/`, { network: { connections: 1 } });
    const { body } = await origin.open({ url: `${chaos.url}/images/film.mp4` });
    await once(body, 'readable');
    body.destroy();
    expect(await readAll(origin, `${chaos.url}/images/a.jpg`)).toBe('picture');
    await chaos.drained(1);
  });

  test('that the origin closed in the very moment of use are replaced, and the request is sent once more', async () => {
    await using chaos = await startChaosOrigin();
    chaos.put('/images/a.jpg', 'picture');
    chaos.set('/images/a.jpg', { kind: 'sequence', steps: [undefined, { kind: 'reset', after: 'head' }, undefined] });
    await using origin = openOrigin(`${chaos.url}/images/`, { network: { connections: 1 } });
    const url = `${chaos.url}/images/a.jpg`;
    expect(await readAll(origin, url)).toBe('picture');
    expect(await readAll(origin, url)).toBe('picture');
    expect(chaos.count('/images/a.jpg')).toBe(3);
  });

  test('that the origin closes behind a whole body, while its reader still takes its time, cost no byte', async () => {
    for (let size = 60_000; size <= 400_000; size += 20_000) {
      const content = Buffer.from(patternContent(size).subarray(0, size));
      await using server = await startHastyServer(content);
      await using origin = openOrigin(`${server.url}/`);
      const { body } = await origin.open({ url: `${server.url}/a.jpg` });
      await server.seen();
      expect((await buffer(body)).equals(content), `${size} bytes`).toBe(true);
    }
  });

  test('that are new and reset are not tried again behind our back', async () => {
    await using chaos = await startChaosOrigin();
    chaos.set('/images/a.jpg', { kind: 'reset', after: 'head' });
    await using origin = openOrigin(`${chaos.url}/images/`);
    await failureOf(origin.open({ url: `${chaos.url}/images/a.jpg` }));
    expect(chaos.count('/images/a.jpg')).toBe(1);
  });

  test('refused by a machine where nothing listens say so', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const prefix = `http://127.0.0.1:${port}/`;
    await using origin = openOrigin(prefix);
    expect(await failureOf(origin.open({ url: `${prefix}a.jpg` }))).toMatchObject({
      reason: 'origin-error',
      message: 'the origin refuses connections',
    });
  });

  test('come back by themselves when the origin does', async () => {
    await using chaos = await startChaosOrigin();
    chaos.put('/images/a.jpg', 'picture');
    await using origin = openOrigin(`${chaos.url}/images/`);
    const url = `${chaos.url}/images/a.jpg`;
    expect(await readAll(origin, url)).toBe('picture');
    await chaos.pause();
    await failureOf(origin.open({ url }));
    await chaos.resume();
    expect(await readAll(origin, url)).toBe('picture');
  });

  test('end at close, with what was under way', async () => {
    await using chaos = await startChaosOrigin();
    chaos.put('/images/film.mp4', patternContent(2_000_000_000));
    chaos.set('/images/silent.jpg', { kind: 'silent' });
    const origin = openOrigin(`${chaos.url}/images/`);
    const { body } = await origin.open({ url: `${chaos.url}/images/film.mp4` });
    const waiting = failureOf(origin.open({ url: `${chaos.url}/images/silent.jpg` }));
    await chaos.requested('/images/silent.jpg');
    const reading = failureOf(buffer(body));
    await origin.close();
    expect(await waiting).toMatchObject({ reason: 'origin-error' });
    expect(await reading).toMatchObject({ reason: 'origin-truncated' });
    await chaos.drained();
  });
});

describe('the content of an object', () => {
  test('that changes between two requests is seen with its new ETag', async () => {
    await using chaos = await startChaosOrigin();
    const before = chaos.put('/images/a.jpg', 'old picture');
    await using origin = openOrigin(`${chaos.url}/images/`);
    const url = `${chaos.url}/images/a.jpg`;
    const first = await origin.describe({ url });
    const after = chaos.put('/images/a.jpg', 'new picture');
    const second = await origin.open({ url, range: 'bytes=0-2', conditions: { 'if-range': before.etag ?? '' } });
    expect(first.facts.etag).toBe(before.etag);
    expect(second).toMatchObject({ status: 200, facts: { etag: after.etag } });
    expect((await buffer(second.body)).toString()).toBe('new picture');
  });
});
