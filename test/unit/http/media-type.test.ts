import { expect, test } from 'vitest';
import { effectiveType } from '../../../src/http/media-type.ts';

test.each([
  ['image/gif', 'image/gif'],
  ['image/gif; charset=a', 'image/gif; charset=a'],
  ['image', 'image'],
  ['', ''],
  ['image/gif, text/html', 'text/html'],
  ['text/html,image/gif', 'image/gif'],
  ['image/gif;a=b,text/html;charset=utf-8', 'text/html;charset=utf-8'],
  ['image/gif, text/html, */*', 'text/html'],
  ['image/gif, text/html, nonsense, ', 'text/html'],
  ['image/gif;a=",text/html;b="', 'text/html;b="'],
  ['nonsense, more', 'nonsense, more'],
])('%j is taken for %j', (header, type) => {
  expect(effectiveType(header)).toBe(type);
});
