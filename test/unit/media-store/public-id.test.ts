import { expect, test } from 'vitest';
import { choosePublicId, splitFilename } from '../../../src/media-store/upload/public-id.ts';

const base = { useFilename: false, uniqueFilename: true, resourceType: 'image' } as const;

test.each([
  [{ ...base, publicId: 'a' }, 'a'],
  [{ ...base, publicId: 'a', folder: '/f/g/' }, 'f/g/a'],
  [{ ...base, publicId: 'a', publicIdPrefix: 'p' }, 'p/a'],
  [{ ...base, useFilename: true, uniqueFilename: false, filename: 'C:\\fakepath\\my pic.jpg' }, 'my_pic'],
  [
    { ...base, useFilename: true, uniqueFilename: false, filename: 'a&b?.txt', resourceType: 'raw' as const },
    'a_b.txt',
  ],
])('%j is named %s', (naming, publicId) => {
  expect(choosePublicId(naming)).toBe(publicId);
});

test('without a name every upload gets another one', () => {
  const names = new Set(Array.from({ length: 100 }, () => choosePublicId(base)));
  expect(names.size).toBe(100);
  expect(choosePublicId({ ...base, resourceType: 'raw', filename: 'x.CSV' })).toMatch(/^[a-z0-9]{20}\.csv$/);
});

test.each([
  ['a.jpg', { name: 'a', extension: 'jpg' }],
  ['a.b.JPG', { name: 'a.b', extension: 'jpg' }],
  ['.env', { name: '.env', extension: '' }],
  ['../../x.png', { name: 'x', extension: 'png' }],
  ['', { name: '', extension: '' }],
])('%j is split into name and extension', (filename, parts) => {
  expect(splitFilename(filename)).toEqual(parts);
});
