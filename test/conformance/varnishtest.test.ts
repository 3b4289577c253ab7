import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Canary, startCanary } from '../support/canary.ts';
import { runCommand } from '../support/command.ts';
import { getRaw } from '../support/raw-http.ts';

const scripts = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.vtc'));

let canary: Canary;

beforeAll(async () => {
  canary = await startCanary([{ prefix: '/cold/', allow: { types: ['video/*'] } }, { prefix: '/warm/' }]);
  canary.origin.put('/base/a.jpg', readFileSync(new URL('../../sample/media/photos/lake.jpg', import.meta.url)));
  await getRaw(canary.proxy.delivery, '/warm/a.jpg');
  await canary.proxy.logged(({ event, asset }) => event === 'stored' && JSON.stringify(asset).includes('/warm/'));
});

afterAll(async () => {
  await canary?.[Symbol.asyncDispose]();
});

test.each(scripts)('%s', async (script) => {
  const { hostname, port } = new URL(canary.proxy.delivery);
  const args = ['-q', '-t', '20', '-D', `proxy=${hostname} ${port}`, join(import.meta.dirname, script)];
  const { code, stdout, stderr } = await runCommand('varnishtest', args);
  expect(code, `${stdout.toString()}${stderr}`).toBe(0);
});

test('there are scripts', () => expect(scripts.length).toBeGreaterThanOrEqual(3));
