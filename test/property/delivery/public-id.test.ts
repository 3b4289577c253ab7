import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTarget } from '../../../src/delivery/path.ts';
import { maxPublicIdLength, publicIdOf } from '../../../src/delivery/public-id.ts';
import { decodePublicIdByTheRules } from '../../support/public-id-decoder.ts';
import { target } from '../../support/targets.ts';

/** Parts whose IDs are most likely to meet. */
const nearPieces = [
  ...[
    'a',
    'b',
    'v12',
    'v',
    '12',
    '_',
    '__',
    '.',
    'jpg',
    'png',
    '_jpg',
    '.jpg',
    '.JPG',
    '/',
    '//',
    '~',
    '~7E',
    '~q',
    '~p',
  ],
  ...[
    '~e',
    '~h',
    '%2B',
    '+',
    ';',
    '%3B',
    '%20',
    '%25',
    '%2525',
    '%3F',
    '%23',
    '%3C',
    '%C3%A9',
    'e%CC%81',
    '%E9',
    '%C3',
  ],
  ...[
    '%A9',
    '%CC%81',
    '%CC%B8',
    '=',
    '%C2%A0',
    '%E2%80%A8',
    '%C2%85',
    '%F0%9F%98%80',
    '%E3%80%80',
    '7E',
    '2B',
    'C',
    'p',
  ],
];

const nearPath = fc
  .array(fc.constantFrom(...nearPieces), { minLength: 1, maxLength: 8 })
  .map((parts) => parts.join(''));
const nearQuery = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc
    .array(fc.constantFrom('v=1', '&', '/', '.', '_jpg', '.jpg', '..', '+', '%2B', '%20', '~q', '//', 'v12'), {
      maxLength: 5,
    })
    .map((parts) => parts.join('')),
);

/** A normalised path and query, near-collisions and noise alike. */
const object = fc
  .oneof(
    {
      weight: 3,
      arbitrary: fc.tuple(nearPath, nearQuery).map(([path, query]) => `/${path}${query === '' ? '' : `?${query}`}`),
    },
    target,
  )
  .map((text) => parseTarget(text))
  .filter((parsed) => parsed.ok)
  .map(({ path, query }) => ({ path: path.slice(1), query }))
  .filter(({ path }) => path !== '');

const runs = { numRuns: 3_000 };
const folder = fc.constantFrom('', 'site', 'site/images');

describe.each([false, true])('public IDs where raw is %s', (raw) => {
  test('are read back to the object they came from, so no two objects share one', () => {
    fc.assert(
      fc.property(object, folder, ({ path, query }, inFolder) => {
        const id = publicIdOf(inFolder, { path, query }, raw);
        fc.pre(!/(?:^|\/)~h[0-9a-f]{64}/.test(id));
        const literal = (text: string) =>
          text
            .replaceAll('%2B', '%252B')
            .replaceAll('%3B', '%253B')
            .replace(/%([0-9A-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
        const decoded = decodePublicIdByTheRules(inFolder, id, raw);
        expect(decoded.path).toBe(literal(path));
        expect(decoded.query).toBe(query);
      }),
      runs,
    );
  });

  test('hold nothing that Cloudinary forbids or would change', () => {
    fc.assert(
      fc.property(object, folder, (key, inFolder) => {
        const id = publicIdOf(inFolder, key, raw);
        expect(id).not.toMatch(/[?&#\\%<>+\p{Cc}\p{Zl}\p{Zp}]/u);
        expect(id.length).toBeLessThanOrEqual(maxPublicIdLength);
        expect(id).toBe(id.normalize('NFC'));
        expect(id.isWellFormed()).toBe(true);
        for (const segment of id.split('/')) {
          expect(segment).not.toBe('');
          expect(segment).not.toMatch(/^\.{1,2}$/);
          expect(segment).toBe(segment.trim());
          expect(segment).not.toMatch(/^v\d+$/);
        }
      }),
      runs,
    );
  });

  test('differ for different objects, hashed ones included', () => {
    fc.assert(
      fc.property(object, object, fc.nat(260), (one, other, padding) => {
        fc.pre(one.path !== other.path || one.query !== other.query);
        const long = (path: string) => `${'x'.repeat(padding)}/${path}`;
        expect(publicIdOf('site', { ...one, path: long(one.path) }, raw)).not.toBe(
          publicIdOf('site', { ...other, path: long(other.path) }, raw),
        );
      }),
      runs,
    );
  });
});

test('an ID of 255 characters is readable and one of 256 is a hash with the same ending', () => {
  const path = (length: number) => `${'x'.repeat(length - 'site/'.length - '_jpg'.length)}.jpg`;
  expect(publicIdOf('site', { path: path(255), query: '' }, false)).toMatch(/^site\/x+_jpg$/);
  expect(publicIdOf('site', { path: path(256), query: '' }, false)).toMatch(/^site\/~h[0-9a-f]{64}_jpg$/);
});
