import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isSigned, signatureOf, withoutSignature } from '../../../src/delivery/signed-delivery.ts';

const [key, oldKey, stranger] = ['k'.repeat(32), 'o'.repeat(32), 's'.repeat(32)];
const asset = { mapping: '/images/', path: '2019/lake.jpg', query: '' };
const now = 1_800_000_000_000;
const expires = '1800000060';

function signed(secret: string, at = expires, of = asset): string {
  return `ferry-expires=${at}&ferry-signature=${signatureOf(of, at, secret)}`;
}

test('a URL signed with either key holds, wherever the two parameters stand', () => {
  for (const secret of [key, oldKey]) expect(isSigned(signed(secret), asset, [key, oldKey], now)).toBe(true);
  const [first, second] = signed(key).split('&');
  expect(isSigned(`w=1&${second}&x&${first}`, asset, [key], now)).toBe(true);
});

test.each([
  ['nothing', ''],
  ['an end without a signature', `ferry-expires=${expires}`],
  ['a signature without an end', signed(key).split('&')[1] ?? ''],
  ['another key', signed(stranger)],
  ['an end of validity that was changed', signed(key).replace(expires, '1900000000')],
  ['an end that is past', signed(key, '1800000000')],
  ['an end that is no number', signed(key, 'never')],
  ['an end beyond all time', signed(key, '9'.repeat(13))],
  ['a signature cut short', signed(key).slice(0, -1)],
  ['a signature in upper case', signed(key).replace(/[0-9a-f]+$/, (hex) => hex.toUpperCase())],
  ['an empty signature', `ferry-expires=${expires}&ferry-signature=`],
  ['the parameters twice', `${signed(key)}&${signed(key)}`],
  ['the signature of another object', signed(key, expires, { ...asset, path: '2019/sea.jpg' })],
  ['the signature of the same path under another mapping', signed(key, expires, { ...asset, mapping: '/other/' })],
  ['the signature of another query', signed(key, expires, { ...asset, query: 'v=2' })],
])('%s does not hold', (_, query) => {
  expect(isSigned(query, asset, [key, oldKey], now)).toBe(false);
});

test('the query is left as it was, without the two parameters', () => {
  expect(withoutSignature(`a=1&${signed(key)}&b=%26ferry-expires=2`)).toBe('a=1&b=%26ferry-expires=2');
  expect(withoutSignature(signed(key))).toBe('');
});

test('the shell line in the documentation makes a signature that holds', () => {
  const page = readFileSync(new URL('../../../docs/signed-delivery.md', import.meta.url), 'utf8');
  const script = /```sh\n(.*?)```/s.exec(page)?.[1] ?? '';
  const output = execFileSync('sh', ['-c', script], { env: { ...process.env, SIGNING_KEY: key }, encoding: 'utf8' });
  const [path, query = ''] = output.trim().split('?');
  expect(path).toBe('/images/2019/lake.jpg');
  expect(isSigned(query, asset, [key], Date.now())).toBe(true);
  expect(isSigned(query, asset, [key], Date.now() + 25 * 3600e3)).toBe(false);
});
