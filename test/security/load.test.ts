import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Load } from '../soak/load.ts';
import { startCanary } from '../support/canary.ts';
import { patternContent } from '../support/chaos-content.ts';
import { endWithTests, killGroup } from '../support/child.ts';
import { openDescriptors, residentBytes } from '../support/proc.ts';
import { dial, getRaw } from '../support/raw-http.ts';

const lake = readFileSync(new URL('../../sample/media/photos/lake.jpg', import.meta.url));

test('10,000 idle keep-alive connections cost less than 30 kB each and keep nobody waiting', {
  timeout: 90_000,
}, async () => {
  await using canary = await startCanary([{ prefix: '/images/' }]);
  const { pid, delivery } = canary.proxy;
  await getRaw(delivery, '/nowhere');
  const [memory, descriptors] = [residentBytes(pid), openDescriptors(pid)];
  const idle = join(import.meta.dirname, 'fixtures/idle-clients.ts');
  const command = `ulimit -n 20000; exec "${process.execPath}" "${idle}" ${delivery} 10000`;
  const child = spawn('sh', ['-c', command], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  endWithTests(child);
  try {
    await once(child.stdout, 'data');
    expect(openDescriptors(pid) - descriptors).toBeGreaterThanOrEqual(9_990);
    expect((residentBytes(pid) - memory) / 10_000).toBeLessThan(30_000);
    const begun = performance.now();
    for (let index = 0; index < 20; index += 1) expect((await getRaw(delivery, '/nowhere')).status).toBe(404);
    expect((performance.now() - begun) / 20, 'milliseconds for somebody else').toBeLessThan(250);
  } finally {
    killGroup(child);
  }
});

test('a stampede of 500 clients on a cold object costs one read of the origin’s body and one upload', async () => {
  await using canary = await startCanary([{ prefix: '/images/' }]);
  canary.origin.put('/base/a.jpg', lake);
  const { pid, delivery } = canary.proxy;
  const before = residentBytes(pid);
  const answers = await Promise.all(Array.from({ length: 500 }, () => getRaw(delivery, '/images/a.jpg')));
  for (const { status } of answers) expect([200, 302]).toContain(status);
  await canary.proxy.logged(({ event }) => event === 'stored');
  expect(canary.proxy.logs.filter(({ event }) => event === 'stored')).toHaveLength(1);
  // One for the clients; the embedded store, in the same process, reads by itself.
  expect(canary.origin.bodyReads('/base/a.jpg')).toBeLessThanOrEqual(2);
  expect(residentBytes(pid) - before).toBeLessThan(300e6);
});

test('forty clients that take nothing of what they asked for fill neither memory nor disk, and keep nobody from his picture', async () => {
  await using canary = await startCanary([{ prefix: '/images/', allow: { types: ['video/*'] } }], {
    spool: { memory: '1MB', disk: '20MB' },
  });
  const { delivery, admin } = canary.proxy;
  const film = patternContent(5_000_000);
  const stalled = await Promise.all(Array.from({ length: 40 }, () => dial(delivery)));
  for (const [index, socket] of stalled.entries()) {
    canary.origin.put(`/base/${index}.jpg`, film);
    socket.pause();
    socket.write(`GET /images/${index}.jpg HTTP/1.1\r\nHost: a\r\n\r\n`);
  }
  const kept = async (where: string) => {
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    return Number(new RegExp(`^lazyferry_spool_bytes\\{where="${where}"\\} (\\d+)$`, 'm').exec(metrics)?.[1]);
  };
  await expect.poll(() => kept('disk'), { timeout: 10_000 }).toBeGreaterThan(19e6);
  canary.origin.put('/base/lake.jpg', lake);
  const { text } = await getRaw(delivery, '/images/lake.jpg');
  expect(text.length - text.indexOf('\r\n\r\n') - 4).toBe(lake.length);
  expect(await kept('disk')).toBeLessThanOrEqual(20e6);
  expect(await kept('memory')).toBeLessThanOrEqual(1e6);
  for (const socket of stalled) socket.destroy();
  await expect.poll(() => kept('disk'), { timeout: 10_000 }).toBe(0);
});

test('traffic of every kind leaves memory and descriptors flat (the long form: npm run test:soak)', {
  timeout: 90_000,
}, async () => {
  await using load = await Load.start();
  for (let round = 0; round < 2; round += 1) await load.round();
  const before = load.read();
  for (let round = 0; round < 2; round += 1) await load.round();
  const after = load.read();
  expect(after.rss / before.rss).toBeLessThan(1.5);
  expect(after.descriptors - before.descriptors).toBeLessThan(50);
});
