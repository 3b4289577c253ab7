import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { decodeAssetKey } from '../../asset/key.ts';
import type { Reason } from '../../asset/reason.ts';
import type {
  AssetRecord,
  AssetState,
  DeliveryType,
  OriginFacts,
  Proof,
  ResourceType,
  StoredCopy,
} from '../../asset/record.ts';

/**
 * One cell as Redis keeps it: a letter for the state, one for the failure's reason (both readable, scripts filter by
 * them), a digit for the digests that follow as plain bytes (1: MD5, 2: SHA-256, 3: both), then a JSON tuple, deflated.
 * The dictionary holds what records have in common and the asset's own key: public ID and origin URL repeat most of
 * it. Times are differences to `updatedAt`.
 *
 * Every constant below is part of the format. Values may be added at the end of a list, never moved.
 */

const stateLetters: Readonly<Record<AssetState, string>> = {
  known: 'k',
  claimed: 'c',
  stored: 's',
  verified: 'v',
  failed: 'f',
  missing: 'm',
  tombstoned: 't',
};

const reasonLetters: Readonly<Record<Reason, string>> = {
  'origin-not-found': 'a',
  'origin-gone': 'b',
  'origin-denied': 'c',
  'origin-error': 'd',
  'origin-timeout': 'e',
  'origin-blocked': 'f',
  'origin-truncated': 'g',
  'too-large': 'h',
  'wrong-type': 'i',
  'store-rejected': 'j',
  'store-rate-limited': 'k',
  'store-unreachable': 'l',
  'store-auth': 'm',
  'id-collision': 'n',
  'origin-private': 'o',
};

const resourceTypes: readonly ResourceType[] = ['image', 'video', 'raw'];
const deliveryTypes: readonly DeliveryType[] = ['upload', 'private', 'authenticated'];
const proofs: readonly Proof[] = ['read', 'digest', 'length'];
const originFields = [
  'contentType',
  'etag',
  'lastModified',
  'cacheControl',
  'contentDisposition',
  'contentEncoding',
  'contentLanguage',
] as const satisfies readonly Exclude<keyof OriginFacts, 'bytes'>[];

const commonText =
  'attachment; filename="inline; gzipbrW/"application/octet-streamapplication/pdfaudio/mpegvideo/webmvideo/mp4' +
  'image/avifimage/gifimage/svg+xmlimage/webpimage/pngimage/jpegwebppnggifmp4jpgno-cacheno-storeprivate, ' +
  'immutablepublic, max-age=31536000max-age=86400max-age=3600Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ' +
  'Mon, Tue, Wed, Thu, Fri, Sat, Sun, 2020 2021 2022 2023 2024 2025 2026 00:00:00 GMT",null,null,null],' +
  'the origin did not answer404 Not Foundhttp://https://www.';

type CopyTuple = [
  publicId: string,
  /** Seconds from the version to `updatedAt`. */
  versionAgo: number,
  format: string,
  bytes: number,
  /** Null: among the plain bytes. */
  md5: string | null,
  proof: number,
  storedAgo: number,
  types: number,
  /** Null: none, or among the plain bytes. */
  sha256: string | null,
  verifiedAgo?: number,
];

type CellTuple = [
  updatedAt: number,
  createdAgo: number,
  tokenAgo: number,
  originUrl: string,
  copy: CopyTuple | null,
  /** The length first (true: the copy's), then {@link originFields}. */
  origin: (string | number | boolean | null)[] | null,
  failure: [detail: string, attempts: number, retryIn: number] | null,
  claim: [owner: string, leaseFor: number] | null,
];

export interface StoredCell {
  readonly record: AssetRecord;
  readonly token: number;
}

export function stateLetter(state: AssetState): string {
  return stateLetters[state];
}

export function reasonLetter(reason: Reason): string {
  return reasonLetters[reason];
}

export function encodeCell(encodedKey: string, { record, token }: StoredCell): Buffer {
  const { copy, origin, failure, claim, updatedAt } = record;
  const tuple: CellTuple = [
    updatedAt,
    updatedAt - record.createdAt,
    updatedAt - token,
    record.originUrl,
    copy === undefined ? null : packCopy(copy, updatedAt),
    origin === undefined ? null : packOrigin(origin, copy),
    failure === undefined ? null : [failure.detail, failure.attempts, failure.retryAt - updatedAt],
    claim === undefined ? null : [claim.owner, claim.leaseUntil - updatedAt],
  ];
  const letters = stateLetters[record.state] + (failure === undefined ? '-' : reasonLetters[failure.reason]);
  const body = deflateRawSync(JSON.stringify(withoutTrailingNulls(tuple)), {
    level: 9,
    dictionary: dictionaryFor(encodedKey),
  });
  return Buffer.concat([Buffer.from(letters, 'latin1'), packDigests(copy), body]);
}

/** @throws {Error} when the value is not one that {@link encodeCell} wrote for this key */
export function decodeCell(encodedKey: string, value: Buffer): StoredCell {
  const state = keyByLetter(stateLetters, value.toString('latin1', 0, 1));
  const reason = keyByLetter(reasonLetters, value.toString('latin1', 1, 2));
  const { digests, length } = unpackDigests(value.subarray(2));
  const body = inflateRawSync(value.subarray(2 + length), {
    dictionary: dictionaryFor(encodedKey),
    maxOutputLength: 2 ** 20,
  });
  const [updatedAt, createdAgo, tokenAgo, originUrl, copy, origin, failure, claim] = JSON.parse(
    body.toString(),
  ) as CellTuple;
  if (state === undefined || ![updatedAt, createdAgo, tokenAgo].every(Number.isSafeInteger)) {
    throw new TypeError('not a cell of a ledger');
  }
  const token = updatedAt - tokenAgo;
  const unpacked = copy === null || copy === undefined ? undefined : unpackCopy(copy, updatedAt, digests);
  const record: AssetRecord = {
    key: decodeAssetKey(encodedKey),
    originUrl,
    state,
    ...(unpacked !== undefined && { copy: unpacked }),
    ...(origin !== null && origin !== undefined && { origin: unpackOrigin(origin, unpacked) }),
    ...(failure !== null &&
      failure !== undefined &&
      reason !== undefined && {
        failure: { reason, detail: failure[0], attempts: failure[1], retryAt: updatedAt + failure[2] },
      }),
    ...(claim !== null &&
      claim !== undefined && { claim: { owner: claim[0], token, leaseUntil: updatedAt + claim[1] } }),
    createdAt: updatedAt - createdAgo,
    updatedAt,
  };
  return { record, token };
}

function packCopy(copy: StoredCopy, updatedAt: number): CopyTuple {
  const tuple: CopyTuple = [
    copy.publicId,
    seconds(updatedAt) - copy.version,
    copy.format,
    copy.bytes,
    isPlain(copy.md5, 32) ? null : copy.md5,
    proofs.indexOf(copy.proof),
    updatedAt - copy.storedAt,
    resourceTypes.indexOf(copy.resourceType) * 10 + deliveryTypes.indexOf(copy.deliveryType),
    copy.sha256 === undefined || isPlain(copy.sha256, 64) ? null : copy.sha256,
  ];
  if (copy.verifiedAt !== undefined) tuple.push(updatedAt - copy.verifiedAt);
  return tuple;
}

function unpackCopy(tuple: CopyTuple, updatedAt: number, plain: PlainDigests): StoredCopy {
  const [publicId, versionAgo, format, bytes, md5, proof, storedAgo, types, sha256, verifiedAgo] = tuple;
  return {
    resourceType: member(resourceTypes, Math.floor(types / 10)),
    deliveryType: member(deliveryTypes, types % 10),
    publicId,
    version: seconds(updatedAt) - versionAgo,
    format,
    bytes,
    md5: md5 ?? plain.md5 ?? '',
    ...given('sha256', sha256 ?? plain.sha256),
    proof: member(proofs, proof),
    storedAt: updatedAt - storedAgo,
    ...(verifiedAgo !== undefined && { verifiedAt: updatedAt - verifiedAgo }),
  };
}

function packOrigin(origin: OriginFacts, copy: StoredCopy | undefined): (string | number | boolean | null)[] {
  const bytes = origin.bytes !== undefined && origin.bytes === copy?.bytes ? true : (origin.bytes ?? null);
  return withoutTrailingNulls([
    bytes,
    ...originFields.map((field) => (field === 'lastModified' ? packDate(origin[field]) : (origin[field] ?? null))),
  ]);
}

function unpackOrigin(tuple: readonly unknown[], copy: StoredCopy | undefined): OriginFacts {
  const [packedBytes, ...values] = tuple;
  const bytes = packedBytes === true ? copy?.bytes : packedBytes;
  return {
    ...(typeof bytes === 'number' && { bytes }),
    ...Object.fromEntries(
      originFields.flatMap((field, index) => {
        const value = values[index];
        if (typeof value === 'number') return [[field, new Date(value * 1_000).toUTCString()]];
        return typeof value === 'string' ? [[field, value]] : [];
      }),
    ),
  };
}

/** A date as HTTP writes it becomes a number of seconds; anything else stays as it is. */
function packDate(text: string | undefined): string | number | null {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  if (Number.isNaN(time) || new Date(time).toUTCString() !== text) return text ?? null;
  return time / 1_000;
}

interface PlainDigests {
  readonly md5?: string;
  readonly sha256?: string;
}

function isPlain(hex: string | undefined, length: number): boolean {
  return hex !== undefined && hex.length === length && /^[0-9a-f]+$/.test(hex);
}

/** The digit that names the plain digests, and the digests. */
function packDigests(copy: StoredCopy | undefined): Buffer {
  const md5 = isPlain(copy?.md5, 32) ? (copy?.md5 ?? '') : '';
  const sha256 = isPlain(copy?.sha256, 64) ? (copy?.sha256 ?? '') : '';
  const digit = (md5 === '' ? 0 : 1) + (sha256 === '' ? 0 : 2);
  return Buffer.concat([Buffer.from(String(digit)), Buffer.from(md5 + sha256, 'hex')]);
}

function unpackDigests(value: Buffer): { digests: PlainDigests; length: number } {
  const digit = Number(value.toString('latin1', 0, 1));
  const md5Length = digit & 1 ? 16 : 0;
  const length = 1 + md5Length + (digit & 2 ? 32 : 0);
  return {
    digests: {
      ...given('md5', digit & 1 ? value.toString('hex', 1, 1 + md5Length) : null),
      ...given('sha256', digit & 2 ? value.toString('hex', 1 + md5Length, length) : null),
    },
    length,
  };
}

function given<Name extends string>(name: Name, value: string | null | undefined): { [key in Name]?: string } {
  return value === null || value === undefined ? {} : ({ [name]: value } as { [key in Name]: string });
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1_000);
}

function dictionaryFor(encodedKey: string): Buffer {
  return Buffer.from(commonText + encodedKey);
}

function withoutTrailingNulls<Tuple extends unknown[]>(tuple: Tuple): Tuple {
  return tuple.slice(0, tuple.findLastIndex((value) => value !== null) + 1) as Tuple;
}

function keyByLetter<Key extends string>(letters: Readonly<Record<Key, string>>, letter: string): Key | undefined {
  return (Object.keys(letters) as Key[]).find((key) => letters[key] === letter);
}

function member<Value>(values: readonly Value[], index: number): Value {
  const value = values[index];
  if (value === undefined) throw new TypeError('not a cell of a ledger');
  return value;
}
