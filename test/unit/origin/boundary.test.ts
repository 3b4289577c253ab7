import { describe, expect, test } from 'vitest';
import { withinOrigin } from '../../../src/origin/http/boundary.ts';

const origin = 'https://origin.test/static/images/';

describe('a request of a mapping', () => {
  test.each([
    'https://origin.test/static/images/',
    'https://origin.test/static/images/a.jpg',
    'https://origin.test/static/images/deep/er/a%20b.jpg?v=1',
    'https://origin.test/static/images/a..b.jpg',
    'https://origin.test/static/images/...jpg',
    'https://origin.test/static/images/100%25.jpg',
    'https://origin.test/static/images//a.jpg',
    'https://origin.test/static/images/a%2fb.jpg',
    'https://origin.test/static/images/a.jpg?next=/../x',
    "https://origin.test/static/images/it's(1).jpg",
  ])('for %s is sent as it is', (url) => {
    expect(withinOrigin(url, origin).href).toBe(url);
  });

  test.each([
    'https://origin.test/',
    'https://origin.test/static/images',
    'https://origin.test/static/imagesevil/a.jpg',
    'https://origin.test/STATIC/images/a.jpg',
    'http://origin.test/static/images/a.jpg',
    'https://origin.test:8443/static/images/a.jpg',
    'https://evil.test/static/images/a.jpg',
    'https://origin.test@evil.test/static/images/a.jpg',
    'https://user@origin.test/static/images/a.jpg',
    'https://origin.test/static/images/../secret.txt',
    'https://origin.test/static/images/a/../b.jpg',
    'https://origin.test/static/images/./b.jpg',
    'https://origin.test/static/images/%2e%2e/secret.txt',
    'https://origin.test/static/images/%2E%2e%2fsecret.txt',
    'https://origin.test/static/images/a/..%2f..%2fsecret.txt',
    'https://origin.test/static/images/%252e%252e%252fsecret.txt',
    'https://origin.test/static/images/..%5csecret.txt',
    'https://origin.test/static/images/..%255csecret.txt',
    'https://origin.test/static/images/..\\secret.txt',
    'https://origin.test/static/images/..;/secret.txt',
    'https://origin.test/static/images/%2e%2e;x=y/secret.txt',
    'https://origin.test/static/images/a/..',
    'https://origin.test/static/images/.\t./secret.txt',
    'https://origin.test/static/images/%2e\n%2e%2fsecret.txt',
    'https://origin.test/static/images/a b.jpg',
    'https://origin.test/static/images/..%00/secret.txt',
    'https://origin.test/static/images/..%00.jpg',
    'https://origin.test/static/images/..%3f',
    'https://origin.test/static/images/%252e%09%252e/secret.txt',
    '/static/images/a.jpg',
    '//origin.test/static/images/a.jpg',
    'file:///static/images/a.jpg',
    '',
  ])('for %j never leaves', (url) => {
    expect(() => withinOrigin(url, origin)).toThrow(expect.objectContaining({ reason: 'origin-blocked' }));
  });

  test('is measured by the origin as it is configured, however that is written', () => {
    for (const configured of [
      'https://origin.test/my images/',
      'https://ORIGIN.test/a/../b/',
      'https://bücher.test/',
    ]) {
      expect(withinOrigin(`${configured}a.jpg`, configured).href).toBe(new URL(`${configured}a.jpg`).href);
    }
  });

  test('leaves a fragment at home', () => {
    expect(withinOrigin('https://origin.test/static/images/a.jpg#x', origin).href).not.toContain('#');
  });
});
