import { expect, test } from 'vitest';
import {
  addStretch,
  bytesIn,
  coversAll,
  parseContentRange,
} from '../../../src/media-store/upload/chunks/content-range.ts';

test.each([
  ['bytes 0-4/5', { start: 0, end: 5, total: 5 }],
  ['bytes 5-9/-1', { start: 5, end: 10 }],
  ['bytes 5-9/*', { start: 5, end: 10 }],
])('%s is read', (header, range) => {
  expect(parseContentRange(header)).toEqual(range);
});

test.each([
  '',
  'bytes',
  'bytes 5-4/10',
  'bytes 0-10/10',
  'bytes -5-9/10',
  'bytes 0-4/ten',
  'items 0-4/5',
  'bytes 0-9e9/5',
])('%j is refused', (header) => {
  expect(() => parseContentRange(header)).toThrow(/^Invalid Content-Range/);
});

test('stretches that touch or overlap become one', () => {
  const stretches = [
    [10, 20],
    [0, 5],
    [5, 12],
  ].reduce<ReturnType<typeof addStretch>>((all, [start = 0, end = 0]) => addStretch(all, [start, end]), []);
  expect(stretches).toEqual([[0, 20]]);
  expect(coversAll(stretches, 20)).toBe(true);
  expect(coversAll(stretches, 21)).toBe(false);
  expect(bytesIn(addStretch(stretches, [30, 40]))).toBe(30);
});
