import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, open as openFile, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Claim, type Ledger, LedgerUnavailable } from '../../../src/ledger/ledger.ts';
import { openSqliteLedger } from '../../../src/ledger/sqlite/sqlite-ledger.ts';
import { keyOf, requestFor, storedAs } from '../../contract/ledger-samples.ts';

const key = keyOf('a.jpg');
let folder: string;
let path: string;
let ledger: Ledger;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lazyferry-sqlite-'));
  path = join(folder, 'ledger.db');
  ledger = openSqliteLedger({ path, lockWaitMs: 100 });
});
afterEach(async () => {
  await ledger.close();
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true });
});

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

async function win(asset = key): Promise<Claim> {
  const result = await ledger.claim(requestFor(asset, { redo: 'refresh' }));
  if (result.kind !== 'won') throw new Error(`expected to win, it was ${result.kind}`);
  return result.claim;
}

async function expectUnavailable(step: () => Promise<unknown>, message: RegExp): Promise<void> {
  const error = await step().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(LedgerUnavailable);
  expect(String(error)).toMatch(message);
  expect(String(error)).toContain(path);
}

test('a file that is no database is an error that says so, and stays as it is', async () => {
  await writeFile(path, 'these are my holiday notes '.repeat(1_000));
  await expectUnavailable(() => ledger.ping(), /not a SQLite database/);
  await expectUnavailable(() => win(), /not a SQLite database/);
  expect(await readFile(path, 'utf8')).toBe('these are my holiday notes '.repeat(1_000));
});

test('a damaged file is an error that says so, stays as it is, and is used again once it is mended', async () => {
  for (let index = 0; index < 200; index += 1) await ledger.settle(await win(keyOf(`${index}.jpg`)), storedAs('a'));
  await ledger.close();
  const good = join(folder, 'good.db');
  await copyFile(path, good);
  const file = await openFile(path, 'r+');
  const { size } = await file.stat();
  for (let page = 1; page * 4_096 < size; page += 1)
    await file.write(Buffer.alloc(4_000, 0x5a), 0, 4_000, page * 4_096);
  await file.close();
  const damaged = await readFile(path);
  ledger = openSqliteLedger({ path });
  await expectUnavailable(() => ledger.lookup(keyOf('7.jpg')), /damaged/);
  await expectUnavailable(() => win(), /damaged/);
  expect((await readFile(path)).equals(damaged)).toBe(true);
  await copyFile(good, path);
  expect((await ledger.lookup(keyOf('7.jpg')))?.state).toBe('stored');
});

test('a file of a newer version is an error that says so, and stays untouched', async () => {
  const newer = new DatabaseSync(path);
  newer.exec('CREATE TABLE assets (something_new); PRAGMA user_version = 99');
  newer.close();
  const before = await readFile(path);
  await expectUnavailable(() => ledger.ping(), /newer lazyferry.*version 99/);
  expect((await readFile(path)).equals(before)).toBe(true);
});

test('a file locked by another program rejects writes, answers lookups, and is used again afterwards', async () => {
  await ledger.settle(await win(), storedAs('a'));
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  await expectUnavailable(() => win(keyOf('b.jpg')), /locked by another program/);
  expect((await ledger.lookup(key))?.state).toBe('stored');
  other.exec('ROLLBACK');
  other.close();
  await win(keyOf('b.jpg'));
});

test('a lock held for a moment is waited for', async () => {
  await ledger.ping();
  const patient = openSqliteLedger({ path, lockWaitMs: 10_000 });
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  const claim = patient.claim(requestFor(key));
  other.exec('ROLLBACK');
  other.close();
  expect((await claim).kind).toBe('won');
  await patient.close();
});

test('a disk that takes no more rejects writes, answers lookups, keeps what is stored, and is used again later', async () => {
  const limitKiB = 2_000;
  const child = spawn(
    'bash',
    [
      '-c',
      `ulimit -f ${limitKiB} && exec "$0" "$@"`,
      process.execPath,
      script('fixtures/sqlite-writer.ts'),
      path,
      'filling',
    ],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
  let error = '';
  let stored = 0;
  child.on('message', (message: { stored: number; error?: string; lookup?: string }) => {
    stored = message.stored;
    if (message.error === undefined) return;
    error = message.error;
    expect(message.lookup).toBe('stored');
  });
  await once(child, 'exit');
  expect(error).toMatch(/LedgerUnavailable: the ledger .* (cannot grow|cannot be read or written)/);
  expect(stored).toBeGreaterThan(10);
  expect(await ledger.tally()).toMatchObject([{ states: { stored } }]);
  await win(keyOf('afterwards.jpg'));
});

test('a folder that cannot be made is an error that names the path', async () => {
  await writeFile(join(folder, 'file'), '');
  path = join(folder, 'file', 'ledger.db');
  ledger = openSqliteLedger({ path });
  await expectUnavailable(() => ledger.ping(), /cannot be used/);
});

test('a path that is a folder is an error that says so', async () => {
  path = join(folder, 'sub');
  await mkdir(path);
  ledger = openSqliteLedger({ path });
  await expectUnavailable(() => ledger.ping(), /cannot be opened/);
});

describe('a process killed in the middle of writing', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  test('leaves whole records, a right tally, and no lock', async () => {
    await ledger.ping();
    for (let round = 0; round < 5; round += 1) {
      const child = fork(script('fixtures/sqlite-writer.ts'), [path, `round-${round}`], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        execArgv: [],
      });
      children.push(child);
      // The writer reports each fifty assets: it is in the middle of its work.
      await once(child, 'message');
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const counted = { claimed: 0, stored: 0 };
    let after: string | undefined;
    do {
      const page = await ledger.query({ limit: 1_000, ...(after !== undefined && { after }) });
      for (const { state } of page.records) {
        if (state === 'claimed' || state === 'stored') counted[state] += 1;
      }
      after = page.next;
    } while (after !== undefined);
    expect(counted.stored).toBeGreaterThan(200);
    expect(await ledger.tally()).toMatchObject([{ states: counted, storedBytes: counted.stored * 12_345 }]);
    await win();
  });

  test('does not stop four others: each asset is claimed once', async () => {
    await ledger.ping();
    const winners = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const child = fork(script('fixtures/sqlite-racer.ts'), [path, '300'], {
          stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
          execArgv: [],
        });
        children.push(child);
        const [won] = (await once(child, 'message')) as [string[]];
        return won;
      }),
    );
    const won = winners.flat();
    expect(won).toHaveLength(300);
    expect(new Set(won).size).toBe(300);
  });
});
