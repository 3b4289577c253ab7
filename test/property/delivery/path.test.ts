import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maxTargetLength, parseTarget } from '../../../src/delivery/path.ts';
import { target, twoSpellings } from '../../support/targets.ts';

const runs = { numRuns: 3_000 };

/** Decodes what can be decoded and leaves the rest, as lenient origins do. Written apart from the code under test. */
function decodeLeniently(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

describe('a path that is accepted', () => {
  test('is printable ASCII without spaces, and so is its query', () => {
    fc.assert(
      fc.property(target, (text) => {
        const parsed = parseTarget(text);
        if (parsed.ok) expect(`${parsed.path}?${parsed.query}`).toMatch(/^\/[\x21-\x7e]*$/);
      }),
      runs,
    );
  });

  test('is the same when it is normalised again', () => {
    fc.assert(
      fc.property(target, (text) => {
        const parsed = parseTarget(text);
        if (!parsed.ok) return;
        const again = `${parsed.path}${parsed.query === '' ? '' : `?${parsed.query}`}`;
        expect(parseTarget(again)).toEqual(parsed);
      }),
      runs,
    );
  });

  test('holds no dot segment, backslash, control character or hidden separator however often an origin decodes it', () => {
    fc.assert(
      fc.property(target, (text) => {
        const parsed = parseTarget(text);
        if (!parsed.ok) return;
        const separators = parsed.path.split('/').length;
        let decoded = parsed.path;
        for (let depth = 0; depth <= 4; depth += 1) {
          const segments = decoded.split(/[/;]/);
          expect(segments).not.toContain('..');
          expect(decoded.split('/')).not.toContain('.');
          expect(decoded).not.toContain('\\');
          expect([...decoded].some((character) => character < ' ' || character === '\x7f')).toBe(false);
          expect(decoded.split('/').length).toBe(separators);
          decoded = decodeLeniently(decoded);
        }
      }),
      runs,
    );
  });

  test('names the very bytes that the client asked for', () => {
    fc.assert(
      fc.property(target, (text) => {
        const parsed = parseTarget(text);
        const asked = text.split('?', 1)[0] ?? '';
        if (parsed.ok) expect(decodeLeniently(parsed.path)).toBe(decodeLeniently(asked));
      }),
      runs,
    );
  });
});

test('nothing that can be asked for makes the parser throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(typeof parseTarget(text).ok).toBe('boolean');
    }),
    runs,
  );
});

test('spellings of unreserved characters and sub-delimiters are one path', () => {
  fc.assert(
    fc.property(twoSpellings, ([one, other]) => {
      const parsed = parseTarget(one);
      fc.pre(parsed.ok);
      expect(parseTarget(other)).toEqual(parsed);
    }),
  );
});

test('spellings of unreserved characters are one query; what separates parameters is never decoded', () => {
  fc.assert(
    fc.property(fc.constantFrom(...'azAZ09-._~'), (character) => {
      const hex = character.charCodeAt(0).toString(16);
      expect(parseTarget(`/a?v=%${hex}`)).toEqual(parseTarget(`/a?v=${character}`));
    }),
  );
  for (const separator of ['&', '=', '+', ';', '/', '?', '%', '#']) {
    const hex = separator.charCodeAt(0).toString(16).toUpperCase();
    expect(parseTarget(`/a?v=1%${hex.toLowerCase()}2`)).toEqual({ ok: true, path: '/a', query: `v=1%${hex}2` });
  }
});

test('different objects have different paths', () => {
  fc.assert(
    fc.property(target, target, (one, other) => {
      const [first, second] = [parseTarget(one), parseTarget(other)];
      if (!first.ok || !second.ok || first.path !== second.path) return;
      // Equal paths must come from equal bytes, with `;` and `+` as the client wrote them.
      const exact = (text: string) =>
        decodeLeniently(
          (text.split('?', 1)[0] ?? '')
            .replaceAll('%3b', '%253B')
            .replaceAll('%3B', '%253B')
            .replaceAll(/%2b/gi, '%252B'),
        );
      expect(exact(one)).toBe(exact(other));
    }),
    runs,
  );
});

test.each([
  ['plus', '/a+b.jpg', '/a%2Bb.jpg'],
  ['semicolon', '/a;b.jpg', '/a%3Bb.jpg'],
  ['composed and decomposed é', '/%C3%A9.jpg', '/e%CC%81.jpg'],
  ['UTF-8 and Latin-1', '/%C3%A9.jpg', '/%E9.jpg'],
  ['case', '/A.jpg', '/a.jpg'],
  ['doubled slash', '/a//b.jpg', '/a/b.jpg'],
  ['slash at the end', '/a/', '/a'],
  ['escaped percent', '/a%2541', '/aA'],
])('%s: two objects stay apart', (_, one, other) => {
  const [first, second] = [parseTarget(one), parseTarget(other)];
  expect(first.ok && second.ok && first.path !== second.path).toBe(true);
});

test('a bad escape in the middle does not hide what a lenient origin would decode behind it', () => {
  expect(parseTarget('/images/%25zz/%252e%252e/%252e%252e/etc/passwd').ok).toBe(false);
  expect(parseTarget('/images/%25/x%252fetc').ok).toBe(false);
});

test('the longest target is taken and one byte more is refused', () => {
  expect(parseTarget(`/${'a'.repeat(maxTargetLength - 1)}`).ok).toBe(true);
  expect(parseTarget(`/${'a'.repeat(maxTargetLength)}`)).toEqual({ ok: false, problem: 'too-long' });
});
