import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseTarget } from '../../../src/delivery/path.ts';
import { publicIdOf, resourceTypeOf } from '../../../src/delivery/public-id.ts';

/** The table of examples in the users' documentation: it must say what is true. */
const examples = readFileSync(new URL('../../../docs/public-ids.md', import.meta.url), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const match = /^\| `\/images\/([^`]+)`.*? \| `(site\/images\/[^`]+)`( \(raw\))? \|$/.exec(line);
    return match === null ? [] : [{ target: match[1] ?? '', id: match[2] ?? '', raw: match[3] !== undefined }];
  });

describe('the examples in docs/public-ids.md', () => {
  test('are all read', () => expect(examples.length).toBe(16));

  test.each(examples)('$target is $id', ({ target, id, raw }) => {
    const parsed = parseTarget(`/${target}`);
    if (!parsed.ok) throw new Error(parsed.problem);
    expect(publicIdOf('site/images', { path: parsed.path.slice(1), query: parsed.query }, raw)).toBe(id);
    expect(resourceTypeOf(parsed.path) === 'raw').toBe(raw);
  });
});

test.each([
  ['a.jpg', 'image'],
  ['a.JPEG', 'image'],
  ['a.svg', 'image'],
  ['a.pdf', 'image'],
  ['a.mp4', 'video'],
  ['a.mp3', 'video'],
  ['a.glb', 'image'],
  ['a.ARW', 'image'],
  ['a.oga', 'video'],
  ['a.weba', 'video'],
  ['a.wma', 'raw'],
  ['a.zip', 'raw'],
  ['a.tar.gz', 'raw'],
  ['a', undefined],
  ['a.', undefined],
  ['a.b/c', undefined],
  ['a.extension-too-long', undefined],
])('%s is a file of type %s by its name', (path, type) => {
  expect(resourceTypeOf(path)).toBe(type);
});

test.each([
  ['a character that would compose with an escape', '%2B%CC%87.jpg', '~2B~CC~87_jpg'],
  ['a character that would compose with a mark', '+%CC%81.jpg', '~p~CC~81_jpg'],
  ['white space at the ends', '%20a%C2%A0.jpg', '~20a~C2~A0_jpg'],
  ['a line separator', 'a%E2%80%A8b.jpg', 'a~E2~80~A8b_jpg'],
])('%s is escaped', (_, path, id) => {
  expect(publicIdOf('', { path, query: '' }, false)).toBe(id);
});
