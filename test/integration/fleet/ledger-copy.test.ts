import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { openRedisLedger } from '../../../src/ledger/redis/redis-ledger.ts';
import { openSqliteLedger } from '../../../src/ledger/sqlite/sqlite-ledger.ts';
import { failedFor, hour, keyOf, requestFor, storedAs } from '../../contract/ledger-samples.ts';
import { runCommand } from '../../support/command.ts';
import { temporaryFolder } from '../../support/proxy-config.ts';
import { startRedis } from '../../support/redis-server.ts';

// 1,205 records, each of which is synced to the disk several times.
vi.setConfig({ testTimeout: 120_000 });

const main = join(import.meta.dirname, '../../../src/main.ts');
let path: string;

beforeEach(() => {
  path = join(temporaryFolder(), 'ledger.db');
});

async function copy(...args: string[]) {
  const { code, stdout, stderr } = await runCommand(process.execPath, [main, 'ledger', 'copy', ...args]);
  return { code, said: stdout.toString(), stderr };
}

/** Stores, failures, missing assets, a tombstone and a claim; 1,205 records over three pages. */
async function fill(ledger: Ledger): Promise<void> {
  const win = async (name: string) => {
    const result = await ledger.claim(requestFor(keyOf(name)));
    if (result.kind !== 'won') throw new Error(`the claim was ${result.kind}`);
    return result.claim;
  };
  for (let index = 0; index < 1_200; index += 1) {
    const settlement =
      index % 10 === 0 ? failedFor(hour) : index % 10 === 1 ? failedFor(hour, 'missing') : storedAs(`${index}`);
    await ledger.settle(await win(`${index}.jpg`), settlement);
  }
  for (let index = 0; index < 4; index += 1) await ledger.tombstone(keyOf(`deleted-${index}.jpg`), 'https://o.test/');
  await win('under-way.jpg');
}

test('a team grows from SQLite to Redis and back without losing a record', { timeout: 90_000 }, async () => {
  const redis = await startRedis();
  const file = openSqliteLedger({ path });
  await fill(file);
  const there = await copy(`sqlite:${path}`, redis.url);
  expect(there).toMatchObject({ code: 0, said: expect.stringContaining('1205 records written, 0 were there already') });

  const shared = openRedisLedger({ url: redis.url });
  for (const name of ['0.jpg', '1.jpg', '2.jpg', 'deleted-0.jpg']) {
    expect(await shared.lookup(keyOf(name))).toEqual(await file.lookup(keyOf(name)));
  }
  // Whoever held it settles it in the old ledger; in the new one it is due.
  expect((await shared.due(10)).map(({ key }) => key.path)).toEqual(['under-way.jpg']);

  const again = await copy(`sqlite:${path}`, redis.url);
  expect(again).toMatchObject({ code: 0, said: expect.stringContaining('0 records written, 1205 were there already') });

  const back = join(temporaryFolder(), 'back.db');
  expect(await copy(redis.url, `sqlite:${back}`)).toMatchObject({ code: 0 });
  const returned = openSqliteLedger({ path: back });
  expect((await returned.tally())[0]?.states).toMatchObject({
    stored: 960,
    failed: 120,
    missing: 120,
    tombstoned: 4,
    known: 1,
  });
  await Promise.all([file.close(), shared.close(), returned.close()]);
  await redis.stop();
});

test('a copy that was broken off says where to go on, and goes on there', async () => {
  const file = openSqliteLedger({ path });
  await fill(file);
  const { next = '' } = await file.query({ limit: 500 });
  const target = join(temporaryFolder(), 'target.db');
  const rest = await copy(`sqlite:${path}`, `sqlite:${target}`, '--after', next);
  // The counts tell that the first page is missing.
  expect(rest).toMatchObject({ code: 1, stderr: expect.stringContaining('/images/: 1205 assets there, 705 here') });
  const whole = await copy(`sqlite:${path}`, `sqlite:${target}`);
  expect(whole).toMatchObject({
    code: 0,
    said: expect.stringContaining('500 records written, 705 were there already'),
  });
  await file.close();
});

test.each([
  ['a file that does not exist', () => [`sqlite:${path}`, 'sqlite:/dev/null'], /there is no ledger/],
  ['the same ledger twice', () => ['redis://127.0.0.1:1', 'redis://127.0.0.1:1'], /the same one/],
  ['a Redis that is down', () => ['redis://127.0.0.1:1', `sqlite:${path}`], /cannot be reached/],
  ['a URL of nothing we know', () => ['mysql://127.0.0.1', `sqlite:${path}`], /is not a Redis URL/],
] as const)('%s is an error that says so', async (_, args, message) => {
  expect(await copy(...args())).toMatchObject({ code: 1, stderr: expect.stringMatching(message) });
});

test('a file that is no ledger is an error, and stays as it was', async () => {
  writeFileSync(path, 'this is a diary, not a database');
  expect(await copy(`sqlite:${path}`, `sqlite:${path}.new`)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is not a SQLite database'),
  });
});
