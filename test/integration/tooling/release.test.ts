import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../support/command.ts';
import { startLazyferry } from '../../support/lazyferry-process.ts';
import { proxyConfig } from '../../support/proxy-config.ts';

const repository = join(import.meta.dirname, '../../..');
let folder: string;
let files: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lazyferry-release-'));
  const script = join(repository, 'scripts/release.ts');
  const { code, stdout, stderr } = await runCommand('node', [script, '--without-audit', '--to', folder], 180_000);
  expect(code, stderr).toBe(0);
  files = stdout.toString().trim().split('\n');
}, 200_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a release is a package, its bill of materials, and the sums of both', async () => {
  const [packed = '', materials = '', sums = ''] = files;
  expect(JSON.parse(await readFile(materials, 'utf8'))).toMatchObject({ bomFormat: 'CycloneDX' });
  const lines = (await readFile(sums, 'utf8')).trim().split('\n');
  for (const [index, file] of [packed, materials].entries()) {
    const sum = createHash('sha256').update(await readFile(file));
    expect(lines[index]).toMatch(new RegExp(`^${sum.digest('hex')} {2}lazyferry-`));
  }
});

test('the package runs with its production dependencies beside it: delivery, admin side, dashboard', async () => {
  expect((await runCommand('tar', ['-xzf', files[0] ?? '', '-C', folder])).code).toBe(0);
  const unpacked = join(folder, 'package');
  await symlink(join(repository, 'node_modules'), join(unpacked, 'node_modules'));
  const config = proxyConfig({ mappings: [{ prefix: '/images/', origin: 'http://127.0.0.1:1/' }] });
  await using proxy = await startLazyferry({ args: ['--config', config], entry: join(unpacked, 'dist/main.js') });
  expect((await fetch(`${proxy.admin}/healthz`)).status).toBe(200);
  expect(await (await fetch(proxy.admin)).text()).toContain('lazyferry');
  expect((await fetch(`${proxy.delivery}/nowhere`)).status).toBe(404);
});
