import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { failureOf } from '../../contract/origin.contract.ts';
import { chaosCertificate, startChaosOrigin } from '../../support/chaos-origin.ts';
import { impatientNetwork } from '../../support/origin-network.ts';
import { openOrigin, readAll } from './bench.ts';

const auth = { kind: 'basic', username: 'reader', password: 'secret' } as const;
const authorization = `Basic ${Buffer.from('reader:secret').toString('base64')}`;

describe('credentials', () => {
  test('go to the origin on every hop within it', async () => {
    await using chaos = await startChaosOrigin();
    chaos.put('/b.jpg', 'picture');
    chaos.set('/images/a.jpg', { kind: 'redirect', to: '/b.jpg' });
    await using origin = openOrigin(`${chaos.url}/images/`, { auth });
    expect(await readAll(origin, `${chaos.url}/images/a.jpg`)).toBe('picture');
    expect(chaos.requests.map(({ headers }) => headers.authorization)).toEqual([authorization, authorization]);
  });

  test.each([
    { kind: 'basic', username: 'reader', password: 'secret' } as const,
    { kind: 'bearer', token: 'secret' } as const,
    { kind: 'header', name: 'x-origin-key', value: 'secret' } as const,
  ])('of kind $kind never reach another host', async (its) => {
    await using chaos = await startChaosOrigin();
    await using other = await startChaosOrigin();
    other.put('/b.jpg', 'picture');
    chaos.set('/images/a.jpg', { kind: 'redirect', to: `${other.url}/b.jpg` });
    await using origin = openOrigin(`${chaos.url}/images/`, {
      auth: its,
      network: { redirectHosts: [`127.0.0.1:${other.port}`] },
    });
    expect(await readAll(origin, `${chaos.url}/images/a.jpg`)).toBe('picture');
    expect(JSON.stringify(chaos.requests[0]?.headers)).toMatch(/secret|cmVhZGVyOnNlY3JldA==/);
    expect(JSON.stringify(other.requests[0]?.headers)).not.toMatch(/secret|cmVhZGVyOnNlY3JldA==|x-origin-key/);
  });

  test('do not come back when a chain returns from another host', async () => {
    await using chaos = await startChaosOrigin();
    await using other = await startChaosOrigin();
    chaos.put('/c.jpg', 'picture');
    chaos.set('/images/a.jpg', { kind: 'redirect', to: `${other.url}/b.jpg` });
    other.set('/b.jpg', { kind: 'redirect', to: `${chaos.url}/c.jpg` });
    await using origin = openOrigin(`${chaos.url}/images/`, {
      auth,
      network: { redirectHosts: [`127.0.0.1:${other.port}`] },
    });
    expect(await readAll(origin, `${chaos.url}/images/a.jpg`)).toBe('picture');
    expect(chaos.requests.at(-1)?.headers.authorization).toBeUndefined();
  });

  test('never appear in a failure or its cause', async () => {
    await using chaos = await startChaosOrigin();
    chaos.set('/images/reset.jpg', { kind: 'reset', after: 'head' });
    chaos.set('/images/silent.jpg', { kind: 'silent' });
    chaos.set('/images/evil.jpg', { kind: 'redirect', to: 'https://evil.test/' });
    chaos.set('/images/garbage.jpg', { kind: 'raw', bytes: 'garbage' });
    await using origin = openOrigin(`${chaos.url}/images/`, { auth, network: impatientNetwork });
    for (const name of ['reset', 'silent', 'evil', 'garbage', '../up']) {
      const failure = await failureOf(origin.open({ url: `${chaos.url}/images/${name}.jpg` }));
      expect(inspect(failure, { depth: 20, showHidden: true })).not.toMatch(/secret|cmVhZGVyOnNlY3JldA==/);
    }
  });
});

describe('https', () => {
  test('is read where the certificate is trusted', async () => {
    await using chaos = await startChaosOrigin({ tls: true });
    chaos.put('/images/a.jpg', 'picture');
    await using origin = openOrigin(`${chaos.url}/images/`, { ca: chaosCertificate });
    expect(await readAll(origin, `${chaos.url}/images/a.jpg`)).toBe('picture');
  });

  test('is refused where the certificate is not trusted, with the mend', async () => {
    await using chaos = await startChaosOrigin({ tls: true });
    await using origin = openOrigin(`${chaos.url}/images/`);
    expect(await failureOf(origin.open({ url: `${chaos.url}/images/a.jpg` }))).toMatchObject({
      reason: 'origin-error',
      message: expect.stringContaining('certificate'),
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
    expect(chaos.requests).toHaveLength(0);
  });

  test('is never left for http, not even on a listed host', async () => {
    await using secure = await startChaosOrigin({ tls: true });
    await using plain = await startChaosOrigin();
    secure.set('/images/a.jpg', { kind: 'redirect', to: `${plain.url}/a.jpg` });
    await using origin = openOrigin(`${secure.url}/images/`, {
      ca: chaosCertificate,
      network: { redirectHosts: [`127.0.0.1:${plain.port}`] },
    });
    expect(await failureOf(origin.open({ url: `${secure.url}/images/a.jpg` }))).toMatchObject({
      reason: 'origin-blocked',
      message: expect.stringContaining('from https to http is never followed'),
    });
    expect(plain.connections).toBe(0);
  });

  test('is taken up from http', async () => {
    await using secure = await startChaosOrigin({ tls: true });
    await using plain = await startChaosOrigin();
    secure.put('/a.jpg', 'picture');
    plain.set('/images/a.jpg', { kind: 'redirect', to: `${secure.url}/a.jpg` });
    await using origin = openOrigin(`${plain.url}/images/`, {
      ca: chaosCertificate,
      network: { redirectHosts: [`127.0.0.1:${secure.port}`] },
    });
    expect(await readAll(origin, `${plain.url}/images/a.jpg`)).toBe('picture');
  });
});

describe('a redirect', () => {
  test('keeps the range and the conditions on the next hop', async () => {
    await using chaos = await startChaosOrigin();
    const { etag } = chaos.put('/b.jpg', 'picture');
    chaos.set('/images/a.jpg', { kind: 'redirect', to: '/b.jpg' });
    await using origin = openOrigin(`${chaos.url}/images/`);
    const url = `${chaos.url}/images/a.jpg`;
    const opened = await origin.open({ url, range: 'bytes=0-3', conditions: { 'if-range': etag ?? '' } });
    opened.body.resume();
    expect(opened).toMatchObject({ status: 206, length: 4 });
  });

  test('with a body that never ends costs its connection and nothing else', async () => {
    await using chaos = await startChaosOrigin();
    const endless = `HTTP/1.1 302 Found\r\nlocation: /b.jpg\r\ncontent-length: 1000000000\r\n\r\n`;
    chaos.put('/b.jpg', 'picture');
    chaos.set('/images/a.jpg', { kind: 'raw', bytes: endless + 'x'.repeat(100_000) });
    const origin = openOrigin(`${chaos.url}/images/`, { network: { connections: 1 } });
    expect(await readAll(origin, `${chaos.url}/images/a.jpg`)).toBe('picture');
    await origin.close();
    await chaos.drained();
  });
});
