import { describe, expect, test } from 'vitest';

// The page's modules are JavaScript; their types are checked by `tsc -p src/admin/dashboard`.
const file = new URL('../../../src/admin/dashboard/static/format.js', import.meta.url).href;
const { percent, readable, size } = (await import(file)) as {
  readable(path: string): string;
  percent(share: number | null): string;
  size(bytes: number): string;
};

describe('what the dashboard says of a share', () => {
  test('100 % means that nothing is left, not that little is left', () => {
    expect(percent(1)).toBe('100 %');
    expect(percent(9_999_999 / 10_000_000)).toBe('99.9 %');
  });

  test('nothing wanted yet is no percentage', () => {
    expect(percent(null)).toBe('–');
    expect(percent(0)).toBe('0 %');
  });
});

describe('a size', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1 kB'],
    [1_250_000, '1.3 MB'],
    [7.1e15, '7.1 PB'],
    [2e19, '20,000 PB'],
  ])('of %d bytes is written %s', (bytes, text) => {
    expect(size(bytes)).toBe(text);
  });
});

describe('a path', () => {
  test.each([
    ['/images/%E6%97%A5%E6%9C%AC%E8%AA%9E.jpg', '/images/日本語.jpg'],
    ['/images/two%20words.jpg', '/images/two words.jpg'],
  ])('%s is shown as people write it', (path, shown) => {
    expect(readable(path)).toBe(shown);
  });

  test.each([
    ['an encoded slash', '/images/a%2Fb.jpg'],
    ['an encoded percent sign', '/images/a%2523.jpg'],
    ['bytes that are no UTF-8', '/images/%FF.jpg'],
    ['a direction mark', '/images/%E2%80%AEgpj.exe'],
    ['a line break', '/images/a%0Ab.jpg'],
    ['a space nobody sees', '/images/a%C2%A0b.jpg'],
    ['a space at the end', '/images/a%20'],
  ])('with %s stays as it is', (_what, path) => {
    expect(readable(path)).toBe(path);
  });
});
