import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const rows = readFileSync(join(root, 'docs/failure-modes.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| F\d+ /.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()));

test('the table of failure modes has a row for each', () => {
  expect(rows.map(([, number]) => number)).toEqual(Array.from({ length: 28 }, (_, index) => `F${index + 1}`));
});

test.each(rows)('%s%s: each test that is said to show what happens exists', (...cells) => {
  const shownBy = (cells[4] ?? '').split('<br>').map((entry) => /^`([^`]+)`: (.+)$/.exec(entry));
  for (const match of shownBy) {
    expect(match).not.toBeNull();
    const [, file = '', name = ''] = match ?? [];
    expect(readFileSync(join(root, file), 'utf8')).toContain(`'${name}'`);
  }
});
