import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeAddress } from '../../../src/origin/address-guard.ts';

const shut = { allowPrivate: false };
const opened = { allowPrivate: true };
const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
const hex = (value: number) => value.toString(16);
const high = (ipv4: string) => hex(Number.parseInt(ipv4.split('.')[0] ?? '', 10) * 256 + Number(ipv4.split('.')[1]));
const low = (ipv4: string) => hex(Number(ipv4.split('.')[2]) * 256 + Number(ipv4.split('.')[3]));

/** The same address, as RFC 4291 lets it be written: long, padded, upper case, one run of zeros left out. */
const spellings = groups.chain((numbers) =>
  fc
    .record({
      padded: fc.boolean(),
      upper: fc.boolean(),
      gap: fc.integer({ min: 0, max: 7 }),
    })
    .map(({ padded, upper, gap }) => {
      const written = numbers.map((group) => (padded ? hex(group).padStart(4, '0') : hex(group)));
      const plain = numbers.map(hex).join(':');
      const zeros = numbers.slice(gap).findIndex((group) => group !== 0);
      const run = zeros === -1 ? numbers.length - gap : zeros;
      const shortened =
        run > 1 ? `${written.slice(0, gap).join(':')}::${written.slice(gap + run).join(':')}` : written.join(':');
      return { plain, other: upper ? shortened.toUpperCase() : shortened };
    }),
);

describe('the address guard', () => {
  test('judges an IPv6 address the same however it is written', () => {
    fc.assert(
      fc.property(spellings, ({ plain, other }) => {
        expect(judgeAddress(other, shut)).toBe(judgeAddress(plain, shut));
      }),
      { numRuns: 2_000 },
    );
  });

  test('judges an IPv4-mapped address as the IPv4 address, under both policies', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.boolean(), (ipv4, allowPrivate) => {
        const verdict = judgeAddress(ipv4, { allowPrivate });
        expect(judgeAddress(`::ffff:${ipv4}`, { allowPrivate })).toBe(verdict);
        expect(judgeAddress(`::ffff:${high(ipv4)}:${low(ipv4)}`, { allowPrivate })).toBe(verdict);
      }),
      { numRuns: 2_000 },
    );
  });

  test('lets no translated form through whose IPv4 address is not public, whatever is opened', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 0xffff }), (ipv4, filler) => {
        const isPublic = judgeAddress(ipv4, shut) === undefined;
        const forms = [`64:ff9b::${ipv4}`, `2002:${high(ipv4)}:${low(ipv4)}:${hex(filler)}::1`];
        for (const form of forms) {
          expect(judgeAddress(form, opened) === undefined).toBe(isPublic);
          expect(judgeAddress(form, shut) === undefined).toBe(isPublic);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('never lets more through when private addresses are shut', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.ipV4Extended(), fc.string()), (text) => {
        if (judgeAddress(text, shut) === undefined) expect(judgeAddress(text, opened)).toBeUndefined();
      }),
      { numRuns: 5_000 },
    );
  });

  test('lets an IPv6 address through only from 2000::/3, opened private ranges, or NAT64 and mapped forms', () => {
    fc.assert(
      fc.property(groups, (numbers) => {
        const [first = 0, second = 0] = numbers;
        const isGlobalUnicast = first >= 0x2000 && first <= 0x3fff;
        const isUniqueLocal = first >= 0xfc00 && first <= 0xfdff;
        const isNat64 = first === 0x64 && second === 0xff9b;
        const isShort = numbers.slice(0, 5).every((group) => group === 0);
        if (judgeAddress(numbers.map(hex).join(':'), opened) === undefined) {
          expect(isGlobalUnicast || isUniqueLocal || isNat64 || isShort).toBe(true);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
