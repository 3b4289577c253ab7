import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { statedMd5 } from '../../../src/origin/digest.ts';

const hash = createHash('md5').update('hello').digest();
const hex = hash.toString('hex');
const base64 = hash.toString('base64');
const other = createHash('md5').update('part').digest('base64');

describe('the MD5 an origin states', () => {
  test.each([
    ['content-md5', base64],
    ['content-md5', ` ${base64} `],
    ['digest', `MD5=${base64}`],
    ['digest', `sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=, md5=${base64}`],
    ['repr-digest', `md5=:${base64}:`],
    ['repr-digest', `sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:, md5=:${base64}:`],
    ['content-digest', `md5=:${base64}:`],
  ])('is read from %s: %s', (name, value) => {
    expect(statedMd5(200, { [name]: value })).toBe(hex);
  });

  test('of a part proves nothing, of the whole object it does', () => {
    expect(statedMd5(206, { 'content-md5': other })).toBeUndefined();
    expect(statedMd5(206, { 'content-digest': `md5=:${other}:` })).toBeUndefined();
    expect(statedMd5(206, { 'content-md5': other, 'repr-digest': `md5=:${base64}:` })).toBe(hex);
    expect(statedMd5(206, { digest: `md5=${base64}` })).toBe(hex);
  });

  test('is taken from Google Cloud Storage where the object is stored as it is sent', () => {
    const hashes = { 'x-goog-hash': `crc32c=mnG7TA==, md5=${base64}` };
    expect(statedMd5(206, { ...hashes, 'x-goog-stored-content-encoding': 'identity' })).toBe(hex);
    expect(statedMd5(200, { ...hashes, 'x-goog-stored-content-encoding': 'gzip' })).toBeUndefined();
    expect(statedMd5(200, hashes)).toBeUndefined();
  });

  test.each([
    ['content-md5', hex],
    ['content-md5', 'not base64!'],
    ['content-md5', 'aGVsbG8='],
    ['digest', 'sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='],
    ['repr-digest', `md5=${base64}`],
    ['etag', `"${hex}"`],
  ])('is not taken from %s: %s', (name, value) => {
    expect(statedMd5(200, { [name]: value })).toBeUndefined();
  });
});
