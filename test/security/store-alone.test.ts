import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startLazyferry } from '../support/lazyferry-process.ts';
import { temporaryFolder } from '../support/proxy-config.ts';

const crashing = join(import.meta.dirname, 'fixtures/crashing-main.ts');

function args(directory: string): readonly string[] {
  return ['--listen', '127.0.0.1:0', '--dir', directory];
}

test.each([
  ['an empty file, as a full disk leaves it', ''],
  ['a line feed', '\n'],
  ['a few characters', 'secret\n'],
])('the store does not start with a secret that anybody can have: %s', async (_name, content) => {
  const directory = join(temporaryFolder(), 'store');
  await mkdir(directory);
  await writeFile(join(directory, 'api-secret'), content);
  await expect(startLazyferry({ command: 'store', args: args(directory) })).rejects.toThrow(/holds no secret/);
  expect(existsSync(join(directory, 'index.db')), 'nothing was opened').toBe(false);
});

test('the store makes a secret that nobody else on the machine can read, and keeps it out of its log', async () => {
  const directory = join(temporaryFolder(), 'store');
  await using store = await startLazyferry({ command: 'store', args: args(directory), entry: crashing });
  const secret = (await readFile(join(directory, 'api-secret'), 'utf8')).trim();
  expect(Buffer.from(secret, 'base64url')).toHaveLength(24);
  expect((await stat(directory)).mode & 0o077).toBe(0);
  expect((await stat(join(directory, 'api-secret'))).mode & 0o077).toBe(0);
  expect(store.output()).not.toContain(secret);
});

test('a promise that nobody looked at does not end the store', async () => {
  const directory = temporaryFolder();
  await using store = await startLazyferry({ command: 'store', args: args(directory), entry: crashing });
  store.signal('SIGWINCH');
  await store.logged(({ event }) => event === 'unhandled-rejection');
  expect((await fetch(`${store.store}/local/image/upload/none.jpg`)).status).toBe(404);
});
