import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssetFailure } from '../../../src/asset/failure.ts';
import { withinOrigin } from '../../../src/origin/http/boundary.ts';
import { nextHop } from '../../../src/origin/http/redirect.ts';

const origin = new URL('https://origin.test/static/images/');
/** Pieces of which attacks are made, and of which paths are. */
const pieces = fc.constantFrom(
  ...[
    'a',
    'b.jpg',
    '/',
    '//',
    '\\',
    '.',
    '..',
    '...',
    ';',
    '@',
    '#',
    '?',
    ':',
    '%',
    '%2e',
    '%2E',
    '%2f',
    '%5c',
    '%252e',
  ],
  ...[
    '%252f',
    '%00',
    '%c0%ae',
    '%uff0e',
    '\t',
    '\n',
    ' ',
    'evil.test',
    'http:',
    'https://',
    'file:',
    '[::1]',
    '127.0.0.1',
  ],
);
const attacks = fc.oneof(
  fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
  fc.webPath(),
  fc.string(),
);

function orRefused<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof AssetFailure) return undefined;
    throw error;
  }
}

describe('whatever follows the prefix', () => {
  test('a request stays below the origin, also for a server that decodes twice or reads backslashes', () => {
    fc.assert(
      fc.property(attacks, (attack) => {
        const url = orRefused(() => withinOrigin(origin.href + attack, origin.href));
        if (url === undefined) return;
        expect(url.origin).toBe(origin.origin);
        const decode = (path: string) =>
          path.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
        for (const path of [url.pathname, decode(url.pathname), decode(decode(url.pathname))]) {
          const seen = new URL(path.replaceAll('\\', '/').split(/[?#]/, 1)[0] ?? '', origin).pathname;
          expect(seen.startsWith(origin.pathname)).toBe(true);
        }
      }),
      { numRuns: 20_000 },
    );
  });

  test('a redirect leads to the origin’s host over https, or nowhere', () => {
    fc.assert(
      fc.property(attacks, (location) => {
        const rules = { maxRedirects: 3, redirectHosts: [] };
        const url = orRefused(() => nextHop(302, location, [new URL('a.jpg', origin)], rules));
        if (url === undefined) return;
        expect(url.origin).toBe(origin.origin);
        expect(url.username + url.password).toBe('');
      }),
      { numRuns: 20_000 },
    );
  });
});
