import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Canary, startCanary } from '../support/canary.ts';
import { runCommand } from '../support/command.ts';
import { getRaw } from '../support/raw-http.ts';

let canary: Canary;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lazyferry-slow-'));
  canary = await startCanary([{ prefix: '/images/', allow: { types: ['video/*'] } }]);
  canary.origin.put('/base/a.jpg', Buffer.alloc(4_000_000, 0xff));
});

afterAll(async () => {
  await canary?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const attacks: readonly (readonly [string, readonly string[]])[] = [
  ['headers that never end', ['-H', '-i', '5']],
  ['bodies that never end', ['-B', '-i', '5', '-s', '8192']],
  ['answers that are hardly read', ['-X', '-w', '1', '-y', '8', '-n', '5', '-z', '8', '-k', '1']],
];

/** Milliseconds that somebody else waits, on a machine whose two cores the attack and other tests share. */
const bounds = { nineteenOfTwenty: 1_000, longest: 10_000 };

test.for(attacks)('200 connections with %s keep nobody else waiting', async ([name, args]) => {
  const report = join(folder, name.replaceAll(' ', '-'));
  const target = `${canary.proxy.delivery}/images/a.jpg`;
  const common = ['-c', '200', '-r', '200', '-l', '16', '-p', '2', '-g', '-o', report, '-u', target];
  let over = false;
  const attack = runCommand('slowhttptest', [...args, ...common]).finally(() => {
    over = true;
  });
  const waits: number[] = [];
  while (!over) {
    const begun = performance.now();
    expect((await getRaw(canary.proxy.delivery, '/nowhere')).status).toBe(404);
    waits.push(performance.now() - begun);
  }
  const { stdout } = await attack;
  waits.sort((a, b) => a - b);
  expect(waits[Math.floor(waits.length * 0.95)]).toBeLessThan(bounds.nineteenOfTwenty);
  expect(waits.at(-1)).toBeLessThan(bounds.longest);
  // It gives up ahead of its time limit where the server cuts every one of its connections.
  if (args[0] !== '-X') expect(stdout.toString()).toContain('No open connections left');
});
