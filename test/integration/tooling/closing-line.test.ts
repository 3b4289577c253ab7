import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand } from '../../support/command.ts';

const repository = join(import.meta.dirname, '../../..');
const vitest = join(repository, 'node_modules/vitest/vitest.mjs');
const reporter = join(repository, 'test/support/closing-line-reporter.ts');

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lazyferry-closing-line-'));
  await symlink(join(repository, 'node_modules'), join(directory, 'node_modules'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Runs one test file in a run of its own. */
async function run(name: string, source: string): Promise<{ code: number | null; lastLine: string | undefined }> {
  const file = `${name}.test.ts`;
  const imports = `import { afterAll, beforeAll, describe, expect, it } from 'vitest';\n`;
  await writeFile(join(directory, file), imports + source);
  const args = ['run', '--root', directory, '--reporter', reporter, file];
  const { code, stdout } = await runCommand(process.execPath, [vitest, ...args]);
  return { code, lastLine: stdout.toString().trimEnd().split('\n').at(-1) };
}

const pass = `it('passes', () => {});\n`;

it.each([
  ['tests that pass', pass + pass, 0, '2 passed, 0 failed'],
  ['a test that fails', `${pass}it('fails', () => expect(1).toBe(2));`, 1, '1 passed, 1 failed'],
  ['a skipped test', `${pass}it.skip('is skipped', () => {});`, 0, '1 passed, 0 failed'],
  [
    'a hook before a suite',
    `${pass}describe('s', () => { beforeAll(() => { throw 1; }); ${pass} });`,
    1,
    '1 passed, 1 failed',
  ],
  [
    'a hook after a suite',
    `describe('s', () => { afterAll(() => { throw new Error('x'); }); ${pass} });`,
    1,
    '1 passed, 1 failed',
  ],
  ['a hook after a file', `afterAll(() => { throw new Error('x'); }); ${pass}`, 1, '1 passed, 1 failed'],
  ['a file that cannot be read', `import './not-there.ts'; ${pass}`, 1, '0 passed, 1 failed'],
  ['an error nobody caught', `it('passes', () => { void Promise.reject(new Error('x')); });`, 1, '1 passed, 1 failed'],
  ['a file without tests', '', 1, '0 passed, 1 failed'],
  ['only skipped tests', `it.skip('is skipped', () => {});`, 1, '0 passed, 1 failed'],
])('%s: the closing line and the exit code tell', async (name, source, code, lastLine) => {
  expect(await run(name.replaceAll(' ', '-'), source)).toEqual({ code, lastLine });
});

it('a run that finds no test file fails', async () => {
  const { code, stdout } = await runCommand(process.execPath, [
    vitest,
    'run',
    '--root',
    directory,
    '--reporter',
    reporter,
    'no-such-file',
  ]);
  expect(code).toBe(1);
  expect(stdout.toString()).not.toMatch(/[1-9]\d* passed/);
});
