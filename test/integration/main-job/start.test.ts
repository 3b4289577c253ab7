import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test, vi } from 'vitest';
import { freePort } from '../../support/child.ts';
import { startLazyferry } from '../../support/lazyferry-process.ts';
import { proxyConfig } from '../../support/proxy-config.ts';

const mappings = [{ prefix: '/img/', origin: 'https://www.example.com/' }];

test.each(['delivery', 'admin'] as const)(
  'an address in use (%s) ends the start with a line that names it',
  async (listener) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const listen = { delivery: '127.0.0.1:0', admin: '127.0.0.1:0', [listener]: `127.0.0.1:${port}` };
    await expect(startLazyferry({ args: ['--config', proxyConfig({ listen, mappings })] })).rejects.toThrow(
      new RegExp(`ended with 1:[\\s\\S]*address already in use 127\\.0\\.0\\.1:${port}`),
    );
    taken.close();
  },
);

test('an admin side that everybody could reach does not start without a token', async () => {
  const listen = { delivery: '127.0.0.1:0', admin: '0.0.0.0:0' };
  await expect(startLazyferry({ args: ['--config', proxyConfig({ listen, mappings })] })).rejects.toThrow(
    /ended with 1:[\s\S]*LAZYFERRY_ADMIN_TOKEN/,
  );
});

test('a start without any mapping says how to give one', async () => {
  await expect(startLazyferry({ args: [] })).rejects.toThrow(/ended with 1:[\s\S]*--map \/images\/=https:/);
});

test('whoever hears that it is ready finds it listening, also where workers have to start first', async () => {
  const [delivery, port] = await Promise.all([freePort(), freePort()]);
  const listen = { delivery: `127.0.0.1:${delivery}`, admin: `127.0.0.1:${port}` };
  const config = proxyConfig({ listen, mappings });
  const starting = startLazyferry({ args: ['--config', config, '--workers', '2'] });
  const answer = (url: string) =>
    fetch(url).then(
      ({ status }) => status,
      () => undefined,
    );
  await vi.waitUntil(async () => (await answer(`http://${listen.admin}/readyz`)) === 200, {
    timeout: 20_000,
    interval: 5,
  });
  expect(await answer(`http://${listen.delivery}/nowhere`)).toBe(404);
  await using _process = await starting;
});
