import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { AddressBlocked, createGuardedDispatcher } from '../../../src/origin/guarded-dispatcher.ts';
import { failureOf } from '../../contract/origin.contract.ts';
import { startChaosOrigin } from '../../support/chaos-origin.ts';
import { disguisedHosts } from '../../unit/origin/address-vectors.ts';
import { openOrigin, readAll } from './bench.ts';

const loopback: LookupAddress = { address: '127.0.0.1', family: 4 };
const metadata: LookupAddress = { address: '169.254.169.254', family: 4 };

/** A resolver that gives one answer after the other, and counts. */
function resolverOf(...answers: readonly (readonly LookupAddress[])[]) {
  let calls = 0;
  return {
    resolve: async () => {
      const answer = answers[Math.min(calls, answers.length - 1)] ?? [];
      calls += 1;
      return answer;
    },
    calls: () => calls,
  };
}

describe('an origin in a private network', () => {
  const spellings = disguisedHosts.filter((host) => URL.canParse(`http://${host}/`));

  test('is never connected to without allowPrivate, however its address is spelled', async () => {
    await using chaos = await startChaosOrigin();
    for (const host of spellings) {
      const url = `http://${host}:${chaos.port}/images/`;
      await using origin = openOrigin(url, { network: { allowPrivate: false } });
      const { href } = new URL(`${url}a.jpg`);
      expect(await failureOf(origin.open({ url: href })), host).toMatchObject({ reason: 'origin-blocked' });
      expect(await failureOf(origin.describe({ url: href })), host).toMatchObject({ reason: 'origin-blocked' });
    }
    expect(spellings.length).toBeGreaterThan(40);
    expect(chaos.connections).toBe(0);
  });

  test('is refused by name too, and the failure names the address and the mend', async () => {
    await using chaos = await startChaosOrigin();
    const prefix = `http://localhost:${chaos.port}/images/`;
    await using origin = openOrigin(prefix, { network: { allowPrivate: false } });
    expect(await failureOf(origin.open({ url: `${prefix}a.jpg` }))).toMatchObject({
      reason: 'origin-blocked',
      message: expect.stringMatching(/^localhost leads to (127\.0\.0\.1|::1), which is loopback$/),
      hint: expect.stringContaining('network.allowPrivate'),
    });
    expect(chaos.connections).toBe(0);
  });

  test('is served with allowPrivate', async () => {
    await using chaos = await startChaosOrigin();
    chaos.put('/images/a.jpg', 'picture');
    const prefix = `http://origin.test:${chaos.port}/images/`;
    await using origin = openOrigin(prefix, resolverOf([loopback]));
    expect(await readAll(origin, `${prefix}a.jpg`)).toBe('picture');
    expect(chaos.requests[0]?.headers.host).toBe(`origin.test:${chaos.port}`);
  });
});

describe('a name that changes its answer (DNS rebinding)', () => {
  test('is resolved once a connection: the socket goes to the very address that was judged', async () => {
    await using chaos = await startChaosOrigin();
    chaos.put('/images/a.jpg', 'picture');
    const resolver = resolverOf([loopback], [metadata]);
    const prefix = `http://rebind.test:${chaos.port}/images/`;
    await using origin = openOrigin(prefix, resolver);
    expect(await readAll(origin, `${prefix}a.jpg`)).toBe('picture');
    expect(resolver.calls()).toBe(1);
  });

  test('is judged again when it connects again', async () => {
    await using chaos = await startChaosOrigin();
    chaos.put('/images/a.jpg', 'picture', { headers: { connection: 'close' } });
    const prefix = `http://rebind.test:${chaos.port}/images/`;
    await using origin = openOrigin(prefix, resolverOf([loopback], [metadata]));
    expect(await readAll(origin, `${prefix}a.jpg`)).toBe('picture');
    expect(await failureOf(origin.open({ url: `${prefix}a.jpg` }))).toMatchObject({
      reason: 'origin-blocked',
      message: 'rebind.test leads to 169.254.169.254, which is a metadata service',
    });
    expect(chaos.connections).toBe(1);
  });

  test('and gives a good and a bad address at once is connected to the good one', async () => {
    await using chaos = await startChaosOrigin();
    chaos.put('/images/a.jpg', 'picture');
    const prefix = `http://mixed.test:${chaos.port}/images/`;
    await using origin = openOrigin(prefix, resolverOf([metadata, { address: 'fe80::1', family: 6 }, loopback]));
    expect(await readAll(origin, `${prefix}a.jpg`)).toBe('picture');
  });

  test('and gives no address, or none in time, is told apart from a blocked one', async () => {
    const prefix = 'http://nowhere.test/images/';
    await using empty = openOrigin(prefix, resolverOf([]));
    expect(await failureOf(empty.open({ url: prefix }))).toMatchObject({
      reason: 'origin-error',
      message: 'the origin’s host name does not exist',
    });
    await using silent = openOrigin(prefix, { resolve: () => new Promise(() => {}), network: { connectTimeout: 100 } });
    expect(await failureOf(silent.open({ url: prefix }))).toMatchObject({ reason: 'origin-timeout' });
  });
});

describe('the guarded dispatcher alone', () => {
  const limits = { connections: 4, connectTimeout: 15_000, headersTimeout: 15_000, bodyTimeout: 15_000 };
  const ask = async (url: string, allowPrivate: boolean) => {
    const dispatcher = createGuardedDispatcher({ ...limits, allowPrivate });
    try {
      const { body } = await dispatcher.request({ origin: url, path: '/a.jpg', method: 'GET' });
      return await body.text();
    } finally {
      await dispatcher.destroy();
    }
  };

  test('refuses this machine by literal and by name, and reads it where that is opened', async () => {
    await using chaos = await startChaosOrigin();
    chaos.put('/a.jpg', 'picture');
    await expect(ask(chaos.url, false)).rejects.toBeInstanceOf(AddressBlocked);
    await expect(ask(`http://localhost:${chaos.port}`, false)).rejects.toBeInstanceOf(AddressBlocked);
    expect(chaos.connections).toBe(0);
    expect(await ask(chaos.url, true)).toBe('picture');
  });
});

describe('a redirect to an address that is never allowed', () => {
  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/latest/meta-data/',
    'http://[::ffff:169.254.169.254]/latest/meta-data/',
    'http://[64:ff9b::169.254.169.254]/latest/meta-data/',
    'http://2852039166/latest/meta-data/',
    'http://0.0.0.0/',
    'http://[::]/',
    'http://100.100.100.200/',
    'http://metadata.test/computeMetadata/v1/',
  ])('%s is refused at the connection even where its host is listed and private addresses are open', async (target) => {
    await using chaos = await startChaosOrigin();
    chaos.set('/images/a.jpg', { kind: 'redirect', to: target });
    const prefix = `${chaos.url}/images/`;
    await using origin = openOrigin(prefix, {
      network: { redirectHosts: [new URL(target).host] },
      ...resolverOf([metadata]),
    });
    expect(await failureOf(origin.open({ url: `${prefix}a.jpg` }))).toMatchObject({
      reason: 'origin-blocked',
      message: expect.stringMatching(/ is /),
    });
  });
});
