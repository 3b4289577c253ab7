import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
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
