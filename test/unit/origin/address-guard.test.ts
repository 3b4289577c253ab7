import { describe, expect, test } from 'vitest';
import { judgeAddress } from '../../../src/origin/address-guard.ts';
import { disguisedHosts, notAddresses, publicAddresses, specialAddresses, zonedAddresses } from './address-vectors.ts';

const shut = { allowPrivate: false };
const opened = { allowPrivate: true };
const special = Object.entries(specialAddresses).flatMap(([refusal, addresses]) =>
  addresses.map((address) => ({ address, refusal })),
);

describe('an address that is not public', () => {
  test.each(special)('$address is refused as $refusal', ({ address, refusal }) => {
    expect(judgeAddress(address, shut)).toBe(refusal);
  });

  test.each(special.filter(({ address }) => !address.includes(':')))(
    '$address written as IPv4-mapped IPv6 is refused all the same',
    ({ address, refusal }) => {
      expect(judgeAddress(`::ffff:${address}`, shut)).toBe(refusal);
      expect(judgeAddress(`0:0:0:0:0:FFFF:${address}`, shut)).toBe(refusal);
    },
  );

  test.each(notAddresses)('%j is no address', (text) => {
    expect(judgeAddress(text, shut)).toBe('not an IP address');
  });

  test.each(zonedAddresses)('%s has a zone id, and no setting opens it', (address) => {
    expect(judgeAddress(address, shut)).toBe('a zone id');
    expect(judgeAddress(address, opened)).toBe('a zone id');
  });

  test.each(disguisedHosts)('%s in a URL does not get through in disguise', (host) => {
    const url = `http://${host}/`;
    const address = URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : 'refused by the URL parser';
    expect(judgeAddress(address, shut)).toEqual(expect.any(String));
  });
});

describe('a public address', () => {
  test.each(publicAddresses)('%s is let through', (address) => {
    expect(judgeAddress(address, shut)).toBeUndefined();
    expect(judgeAddress(address, opened)).toBeUndefined();
  });
});

describe('allowPrivate', () => {
  test.each(special)('opens $address only if it is private or loopback ($refusal)', ({ address, refusal }) => {
    const isOpened = refusal === 'private' || refusal === 'loopback';
    expect(judgeAddress(address, opened)).toBe(isOpened ? undefined : refusal);
  });

  test('opens a private address in IPv4-mapped form, and none behind a translator', () => {
    expect(judgeAddress('::ffff:10.0.0.1', opened)).toBeUndefined();
    expect(judgeAddress('64:ff9b::10.0.0.1', opened)).toBe('a transition form of an address that is not public');
    expect(judgeAddress('2002:a00:1::1', opened)).toBe('a transition form of an address that is not public');
  });
});
