import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const repository = join(import.meta.dirname, '../../..');
const page = readFileSync(join(repository, 'SECURITY.md'), 'utf8');

/** The rows of the attack table: attack, defence, tests. */
const rows = page
  .split('\n')
  .filter((line) => /^\| .* \| .* \| .*`test\//.test(line))
  .map((line) => line.split(' | '));

test('each attack in SECURITY.md names a test that is there', () => {
  expect(rows.length).toBeGreaterThan(20);
  for (const [attack = '', , tests = ''] of rows) {
    let folder = '';
    for (const [, name = ''] of tests.matchAll(/`([^`\s]+)`/g)) {
      const path = name.includes('/') ? name : `${folder}/${name}`;
      folder = path.slice(0, path.lastIndexOf('/'));
      expect(existsSync(join(repository, path)), `${attack}: ${path}`).toBe(true);
    }
  }
});
