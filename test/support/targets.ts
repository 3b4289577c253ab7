import fc from 'fast-check';

/** Pieces that request targets are made of by people who mean harm, and by those who do not. */
const pieces = [
  ...['a', 'b.jpg', 'a_jpg', '.', '..', '...', '/', '//', '\\', ';', '+', ',', '=', '@', ':', '~', '!', '$', '&', "'"],
  ...['(', ')', '*', '"', '<', '>', '|', '^', '`', '{', '}', '[', ']', ' ', '%', '%%', '%2', '%zz', '%u002e', '?', '#'],
  ...['%2e', '%2E', '%2f', '%2F', '%5c', '%5C', '%00', '%0a', '%20', '%25', '%252e', '%252f', '%25252e', '%2525252f'],
  ...['%25zz', '%c0%ae', '%c0%af', '%e0%80%af', '%f0%80%80%ae', '%ef%bc%8f', '%C3%A9', '%E9', 'e%CC%81', '%41', '%7E'],
  ...['%3B', '%3b', '%2B', '%2b', '%21', '%28', '%3A', '%40', '%3F', '%23', '\xe9', '\xff', '\t', '\0', '\x7f', 'é'],
];

/** Whole request targets, good and bad, one character per byte as Node gives them. */
export const target: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 12 })
  .map((parts) => `/${parts.join('')}`.replace(/[^\0-\xff]/g, 'x'));

/** One path character in each of its spellings. */
const spelled: fc.Arbitrary<readonly string[]> = fc.constantFrom(..."azAZ09-_~!$&'()*,=:@").map((character) => {
  const hex = character.charCodeAt(0).toString(16);
  return [character, `%${hex.toLowerCase()}`, `%${hex.toUpperCase()}`];
});

/** Two paths that differ in spelling alone. */
export const twoSpellings: fc.Arbitrary<readonly [string, string]> = fc
  .array(fc.tuple(spelled, fc.nat(2), fc.nat(2)), { minLength: 1, maxLength: 20 })
  .map((characters) => {
    const spell = (pick: 1 | 2) => characters.map((entry) => entry[0][entry[pick]] ?? '').join('');
    return [`/${spell(1)}`, `/${spell(2)}`] as const;
  });
