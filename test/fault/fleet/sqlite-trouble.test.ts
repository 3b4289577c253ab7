import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { startChaosOrigin } from '../../support/chaos-origin.ts';
import { startLazyferry } from '../../support/lazyferry-process.ts';
import { PromiseOne } from '../../support/promise-one.ts';
import { proxyConfig, temporaryFolder } from '../../support/proxy-config.ts';

const picture = readFileSync(join(import.meta.dirname, '../../../sample/media/graphics/spinner.gif'));
const wellAgain = /^$/;

async function startOver(ledger: string) {
  const origin = await startChaosOrigin();
  const config = proxyConfig({
    ledger: { url: `sqlite:${ledger}`, memoryTtl: '5m' },
    mappings: [{ prefix: '/img/', origin: `${origin.url}/img/`, network: { allowPrivate: true } }],
  });
  const proxy = await startLazyferry({ args: ['--config', config] });
  onTestFinished(async () => {
    await proxy[Symbol.asyncDispose]();
    await origin.close();
  });
  return new PromiseOne(origin, proxy, picture);
}

test('the disk of the ledger is full: clients get their pictures, readiness says so, uploads go on once there is room', {
  timeout: 60_000,
}, async () => {
  const disk = join(temporaryFolder(), 'disk');
  mkdirSync(disk);
  // A disk of its own that is quickly full; tests run as root where CI runs them.
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
  onTestFinished(() => void execFileSync('umount', ['-l', disk]));
  const client = await startOver(join(disk, 'ledger.db'));
  const warm = await client.expectUploads();

  fillDisk(join(disk, 'filler'));
  expect(await client.expectRight(warm)).toBe(true);
  for (let time = 0; time < 20; time += 1) await client.expectRight(client.coldPath());
  await client.expectAlive();
  await client.expectReadiness(/the disk is full/);

  rmSync(join(disk, 'filler'));
  await client.expectUploads();
  await client.expectReadiness(wellAgain);
});

test('another program holds the ledger locked: clients get their pictures, uploads go on once it lets go', {
  timeout: 60_000,
}, async () => {
  const path = join(temporaryFolder(), 'ledger.db');
  const client = await startOver(path);
  const warm = await client.expectUploads();
  const other = new DatabaseSync(path);
  other.exec('BEGIN EXCLUSIVE');
  expect(await client.expectRight(warm)).toBe(true);
  for (let time = 0; time < 5; time += 1) await client.expectRight(client.coldPath());
  await client.expectReadiness(/locked by another program/);
  other.exec('ROLLBACK');
  other.close();
  await client.expectUploads();
  await client.expectReadiness(wellAgain);
});

test('the ledger file is damaged: clients get their pictures, readiness says what to do, and the file is never touched', {
  timeout: 60_000,
}, async () => {
  const path = join(temporaryFolder(), 'ledger.db');
  const damaged = Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(8_192, 0x5a)]);
  writeFileSync(path, damaged);
  const client = await startOver(path);
  for (let time = 0; time < 5; time += 1) expect(await client.expectRight(client.coldPath())).toBe(false);
  await client.expectAlive();
  await client.expectReadiness(/damaged: restore it from a backup|not a SQLite database/);
  expect(readFileSync(path).equals(damaged)).toBe(true);

  rmSync(path);
  await client.expectUploads();
  await client.expectReadiness(wellAgain);
});

function fillDisk(file: string): void {
  for (let size = 1 << 20; size >= 1; size >>= 1) {
    try {
      writeFileSync(file, Buffer.alloc(size), { flag: 'a' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
}
