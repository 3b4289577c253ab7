import { describe, expect, test } from 'vitest';
import { AssetFailure } from '../../../src/asset/failure.ts';
import { nextHop } from '../../../src/origin/http/redirect.ts';

const rules = { maxRedirects: 3, redirectHosts: ['cdn.origin.test', 'other.test:8443'] };
const start = 'https://origin.test/images/a.jpg';

function follow(location: string | undefined, from: string = start, status = 302): string | undefined {
  return nextHop(status, location, [new URL(from)], rules)?.href;
}

function refusalOf(location: string, from: string = start): AssetFailure {
  try {
    follow(location, from);
  } catch (error) {
    if (error instanceof AssetFailure) return error;
  }
  throw new Error(`${location} was not refused`);
}

describe('a redirect of the origin', () => {
  test.each([301, 302, 303, 307, 308])('by %i is followed', (status) => {
    expect(follow('/b.jpg', start, status)).toBe('https://origin.test/b.jpg');
  });

  test.each([200, 300, 304, 305, 306, 404])('%i is none, whatever its Location says', (status) => {
    expect(follow('/b.jpg', start, status)).toBeUndefined();
  });

  test('without a Location is the origin’s answer', () => {
    expect(follow(undefined)).toBeUndefined();
  });

  test.each([
    ['b.jpg', 'https://origin.test/images/b.jpg'],
    ['?v=2', 'https://origin.test/images/a.jpg?v=2'],
    ['//origin.test/b.jpg', 'https://origin.test/b.jpg'],
    ['https://ORIGIN.test:443/b.jpg#top', 'https://origin.test/b.jpg'],
    ['https://cdn.origin.test/b.jpg', 'https://cdn.origin.test/b.jpg'],
    ['https://other.test:8443/b.jpg', 'https://other.test:8443/b.jpg'],
  ])('to %s leads to %s', (location, expected) => {
    expect(follow(location)).toBe(expected);
  });

  test('from http to https on the same host is followed', () => {
    expect(follow('https://origin.test/a.jpg', 'http://origin.test/a.jpg')).toBe('https://origin.test/a.jpg');
  });

  test.each([
    'http://origin.test/a.jpg',
    '//evil.test/a.jpg',
    '\\\\evil.test/a.jpg',
    '/\\evil.test/a.jpg',
    'https://evil.test/a.jpg',
    'https://origin.test.evil.test/a.jpg',
    'https://origin.test@evil.test/a.jpg',
    'https://user:secret@origin.test/a.jpg',
    'https://user@cdn.origin.test/a.jpg',
    'https://origin.test:8443/a.jpg',
    'https://cdn.origin.test:8443/a.jpg',
    'https://other.test/a.jpg',
    'https://sub.cdn.origin.test/a.jpg',
    'https://127.0.0.1/a.jpg',
    'https://[::1]/a.jpg',
    'https://2130706433/a.jpg',
    'https://169.254.169.254/latest/meta-data/',
    'file:///etc/passwd',
    'ftp://origin.test/a.jpg',
    'data:image/png;base64,AAAA',
    'javascript:alert(1)',
    'gopher://127.0.0.1:6379/_FLUSHALL',
    's3://bucket/a.jpg',
  ])('to %s is refused', (location) => {
    expect(refusalOf(location).reason).toBe('origin-blocked');
  });

  test('to no URL at all is the origin’s error', () => {
    expect(refusalOf('https://').reason).toBe('origin-error');
  });

  test('that is refused does not show the query, which may be a signature', () => {
    expect(refusalOf('https://evil.test/a.jpg?Signature=abc').message).not.toContain('abc');
  });

  test('is measured by the host of the mapping, not by the last hop', () => {
    const visited: [URL, URL] = [new URL(start), new URL('https://cdn.origin.test/a.jpg')];
    expect(nextHop(302, '//origin.test/b.jpg', visited, rules)?.href).toBe('https://origin.test/b.jpg');
    expect(() => nextHop(302, '//evil.test/b.jpg', visited, rules)).toThrow(/another host/);
  });

  test('to where the chain has been is a loop, and one hop too many is told apart from it', () => {
    const chain = ['a', 'b', 'c', 'd'].map((name) => new URL(`https://origin.test/${name}`));
    const visited = chain as [URL, ...URL[]];
    expect(() => nextHop(302, '/b', visited, rules)).toThrow(/loop/);
    expect(() => nextHop(302, '/e', visited, rules)).toThrow(/more than 3 times/);
  });
});
