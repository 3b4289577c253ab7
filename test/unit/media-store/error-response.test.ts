import { expect, test } from 'vitest';
import { headerText } from '../../../src/media-store/error-response.ts';

test.each([
  ['plain text', 'plain text'],
  ['日', '%E6%97%A5'],
  ['😀', '%F0%9F%98%80'],
  ['\ud83d', '%EF%BF%BD'],
  ['a\r\nX-Injected: yes', 'a%0D%0AX-Injected: yes'],
])('%j can stand in a header', (text, header) => {
  expect(headerText(text)).toBe(header);
});
