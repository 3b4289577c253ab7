import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeAssetKey } from '../../../src/asset/key.ts';
import { reasons } from '../../../src/asset/reason.ts';
import { type AssetRecord, assetStates } from '../../../src/asset/record.ts';
import { decodeCell, encodeCell } from '../../../src/ledger/redis/cell-codec.ts';

const time = fc.integer({ min: 0, max: 4_102_444_800_000 });
const size = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const text = fc.string({ unit: 'grapheme' });
const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
    .map((digits) => digits.join(''));
const component = fc
  .array(fc.constantFrom(...'/abcXYZ019-._~%!$&()*+,;=:@?{}'), { maxLength: 60 })
  .map((characters) => characters.join(''));

/** Optional fields are there or not, never undefined. */
const record: fc.Arbitrary<AssetRecord> = fc.record(
  {
    key: fc.record({ mapping: component, path: component, query: component }),
    originUrl: text,
    state: fc.constantFrom(...assetStates),
    copy: fc.record(
      {
        resourceType: fc.constantFrom('image', 'video', 'raw'),
        deliveryType: fc.constantFrom('upload', 'private', 'authenticated'),
        publicId: text,
        version: size,
        format: text,
        bytes: size,
        md5: fc.oneof(hex(32), text),
        sha256: fc.oneof(hex(64), text),
        proof: fc.constantFrom('read', 'digest', 'length'),
        storedAt: time,
        verifiedAt: time,
      },
      {
        requiredKeys: [
          'resourceType',
          'deliveryType',
          'publicId',
          'version',
          'format',
          'bytes',
          'md5',
          'proof',
          'storedAt',
        ],
      },
    ),
    origin: fc.record(
      {
        bytes: size,
        contentType: text,
        contentDisposition: text,
        contentEncoding: text,
        contentLanguage: text,
        cacheControl: text,
        etag: text,
        lastModified: text,
      },
      { requiredKeys: [] },
    ),
    failure: fc.record({ reason: fc.constantFrom(...reasons), detail: text, attempts: size, retryAt: time }),
    createdAt: time,
    updatedAt: time,
  },
  { requiredKeys: ['key', 'originUrl', 'state', 'createdAt', 'updatedAt'] },
);

test('whatever a record holds comes back from Redis as it was', () => {
  fc.assert(
    fc.property(record, time, fc.option(fc.record({ owner: text, leaseUntil: time })), (plain, token, claim) => {
      const written: AssetRecord = claim === null ? plain : { ...plain, claim: { ...claim, token } };
      const encodedKey = encodeAssetKey(plain.key);
      const cell = decodeCell(encodedKey, encodeCell(encodedKey, { record: written, token }));
      expect(cell).toEqual({ record: written, token });
    }),
    { numRuns: 500 },
  );
});

test('whatever bytes somebody else left there are refused, never a crash of another kind', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(() => decodeCell('/images/ a.jpg ', Buffer.from(bytes))).toThrow(Error);
    }),
  );
});
