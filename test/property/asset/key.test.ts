import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AssetKey, decodeAssetKey, encodeAssetKey } from '../../../src/asset/key.ts';

const component = fc.string({ unit: fc.constantFrom(...'/ab%20?.~;+'), maxLength: 12 });
const key: fc.Arbitrary<AssetKey> = fc.record({ mapping: component, path: component, query: component });

test('a key that was encoded is read back as it was', () => {
  fc.assert(
    fc.property(key, (one) => {
      expect(decodeAssetKey(encodeAssetKey(one))).toEqual(one);
    }),
  );
});

test('two keys have one encoding only when they are the same key', () => {
  fc.assert(
    fc.property(key, key, (one, other) => {
      const same = one.mapping === other.mapping && one.path === other.path && one.query === other.query;
      expect(encodeAssetKey(one) === encodeAssetKey(other)).toBe(same);
    }),
  );
});

test('moving a character over the border between two components gives another encoding', () => {
  fc.assert(
    fc.property(key, fc.constantFrom(...'/a%?'), (one, character) => {
      const inMapping = encodeAssetKey({ ...one, mapping: `${one.mapping}${character}` });
      const inPath = encodeAssetKey({ ...one, path: `${character}${one.path}` });
      expect(inMapping).not.toBe(inPath);
    }),
  );
});

test('a component with a space is refused, since its encoding could be that of another key', () => {
  fc.assert(
    fc.property(key, fc.constantFrom('mapping', 'path', 'query'), (one, name) => {
      expect(() => encodeAssetKey({ ...one, [name]: `${one[name]} x` })).toThrow(TypeError);
    }),
  );
});

test('what is not an encoded key is refused', () => {
  for (const text of ['', '/images/', '/images/ a.jpg', '/images/ a.jpg  ', 'a b c d']) {
    expect(() => decodeAssetKey(text)).toThrow(TypeError);
  }
});
