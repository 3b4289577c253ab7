import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startChaosOrigin } from '../../support/chaos-origin.ts';
import { endWithTests, killGroup } from '../../support/child.ts';
import { curl } from '../../support/command.ts';
import { temporaryFolder } from '../../support/proxy-config.ts';

const root = join(import.meta.dirname, '../../..');
const photo = readFileSync(join(root, 'sample/media/photos/lake.jpg'));

/** Runs what `npm start -- ARGS` runs; resolves with what it prints for people, once that is all there. */
async function start(...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [join(root, 'scripts/start.ts'), ...args], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, LAZYFERRY_DATA: temporaryFolder() },
  });
  endWithTests(child);
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    killGroup(child);
    await ended;
  });
  let said = '';
  for await (const piece of child.stderr.setEncoding('utf8')) {
    said += piece;
    if (said.includes('Ctrl-C stops.')) return said;
  }
  throw new Error(`it ended without a word on what to try:\n${said}`);
}

async function untilStored(url: string): Promise<void> {
  await expect.poll(async () => (await curl(url)).status, { timeout: 15_000 }).toBe(302);
}

test('npm start shows three URLs, and each does what it says', async () => {
  const said = await start();
  const [picture = '', video = '', dashboard = ''] = [...said.matchAll(/^ {2}\d\. (http\S+)$/gm)].map(([, url]) => url);
  const cold = await curl(picture);
  expect(cold.headers['cache-status']).toBe('lazyferry; fwd=uri-miss; fwd-status=200');
  expect(cold.body.equals(photo)).toBe(true);
  await untilStored(picture);
  expect((await curl(picture, '-L')).body.equals(photo)).toBe(true);
  expect((await curl(video, '-r', '1000-1999')).body.length).toBe(1000);
  expect((await curl(dashboard)).body.toString()).toContain('lazyferry');
});

test('npm start -- --map does it with an origin of one’s own', async () => {
  await using origin = await startChaosOrigin();
  origin.put('/pictures/lake.jpg', photo);
  const said = await start('--map', `/img/=${origin.url}/pictures/`);
  const [, base = ''] = /^ {2}(http\S+)… {2}←/m.exec(said) ?? [];
  expect((await curl(`${base}lake.jpg`)).body.equals(photo)).toBe(true);
  await untilStored(`${base}lake.jpg`);
  expect((await curl(`${base}lake.jpg`, '-L')).body.equals(photo)).toBe(true);
});
