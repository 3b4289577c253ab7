import { expect, test } from 'vitest';
import { MappingTable } from '../../../src/delivery/mapping-table.ts';
import { resolve } from '../../../src/delivery/resolve.ts';
import { mappingOf } from '../../support/mapping.ts';

const table = new MappingTable([
  mappingOf({ prefix: '/images/', origin: 'https://www.example.com/static/images/', folder: 'site/images' }),
  mappingOf({ prefix: '/', origin: 'https://rest.example.com/all/', folder: 'rest', query: 'key' }),
]);

/** Ways up, out and across, as attackers write them. */
const moves = [
  ...[
    '..',
    '.',
    '%2e%2e',
    '%2E%2e',
    '.%2e',
    '%2e.',
    '%252e%252e',
    '%25252e%25252e',
    '%2525252e%2525252e',
    '..;',
    '..;x=1',
  ],
  ...['..%3b', '..%253b', '%2e%2e%3B', '..%00', '..%0d%0a', '..\\', '..%5c', '%2e%2e%5c', '..%255c', '..%25255c'],
  ...[
    '..%2f',
    '..%252f',
    '..%25252f',
    '%2f..',
    '..%c0%af',
    '%c0%ae%c0%ae',
    '%e0%80%ae',
    '%f0%80%80%ae',
    '%25zz/%252e%252e',
  ],
  ...[
    '..\t',
    '.\t.',
    '..%09',
    '%',
    '%2',
    '%u002e%u002e',
    '%%32%65',
    '@evil.example',
    ':80@evil.example',
    '\\evil.example',
  ],
  ...[
    '/evil.example',
    '//evil.example',
    '/\\evil.example',
    'http://evil.example',
    'http:%2f%2fevil.example',
    'javascript:',
  ],
  ...[
    '#',
    '#@evil.example',
    '?',
    '?/../..',
    '%23',
    '%3f',
    '%20',
    ' ',
    '|',
    '`',
    '"',
    '<',
    '{',
    '\xff',
    '\x85',
    '..\xa0',
  ],
];
const places = [
  ...['/images/{}', '/images/{}/etc/passwd', '/images/a/{}/{}/{}/b.jpg', '/images{}', '/images/{}a.jpg', '/images/a{}'],
  ...[
    '/{}/images/a.jpg',
    '/{}',
    '{}',
    '/demo/image/upload/site/images/{}/a.jpg',
    '/demo/image/upload/v1/site/{}/b.jpg',
  ],
  '/image/upload/{}/site/images/a.jpg',
];
const targets = places.flatMap((place) => moves.map((move) => place.replaceAll('{}', move)));

test('there are several hundred cases', () => expect(targets.length).toBeGreaterThan(600));

test.each(targets)('%j never leads out of the mapping’s origin', (target) => {
  const resolution = resolve(target, { table, cloudName: 'demo' });
  if (resolution.kind !== 'asset') return;
  const url = new URL(resolution.asset.originUrl);
  const { origin } = resolution.mapping;
  expect(url.href.startsWith(origin)).toBe(true);
  expect(url.username + url.password + url.hash).toBe('');
  // Nor when the origin decodes the path more often than it should, as Windows or servlet servers read it.
  let path = url.pathname;
  for (let depth = 0; depth < 4; depth += 1) {
    const read = path.replaceAll('\\', '/').replace(/;[^/]*/g, '');
    expect(new URL(`https://origin${read.replace(/^\/+/, '/')}`).pathname.startsWith(new URL(origin).pathname)).toBe(
      true,
    );
    path = path.replace(/%([0-9a-f]{2})/gi, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)));
  }
});

test.each([
  '/images/../secret',
  '/images/%2e%2e/secret',
  '/images/%252e%252e/secret',
  '/images/..;/secret',
  '/images/..%5csecret',
  '/images/a%2fb.jpg',
  '/images/a%00.jpg',
  '/images/%c0%ae%c0%ae/secret',
  'http://evil.example/images/a.jpg',
  '*',
])('%s is refused', (target) => {
  expect(resolve(target, { table, cloudName: 'demo' }).kind).toBe('bad-target');
});
