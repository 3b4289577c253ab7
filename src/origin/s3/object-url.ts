import { AssetFailure } from '../../asset/failure.ts';

export interface S3Place {
  /** `s3://bucket/` or `s3://bucket/prefix/`. */
  readonly origin: string;
  readonly region: string;
  /** Of an S3-compatible service, such as `http://127.0.0.1:9000`; buckets are then named in the path. */
  readonly endpoint?: string;
}

/**
 * The HTTP URL prefix that an `s3://` prefix stands for: `https://bucket.s3.region.amazonaws.com/prefix/`, or
 * `https://endpoint/bucket/prefix/`. A bucket with a dot is named in the path as well: no certificate covers its host.
 *
 * @throws {TypeError} when the origin or the endpoint is not of that form
 */
export function objectUrlPrefix(place: S3Place): string {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/((?:.*\/)?)$/.exec(place.origin);
  if (match === null) throw new TypeError(`not an S3 origin: ${place.origin}; write s3://bucket/prefix/`);
  const [, bucket = '', prefix = ''] = match;
  const path = canonicalPath(prefix);
  if (path === undefined) throw new TypeError(`not an S3 origin: ${place.origin}; the prefix is not UTF-8`);
  if (place.endpoint !== undefined) return `${place.endpoint.replace(/(?<!\/)\/+$/, '')}/${bucket}/${path}`;
  return bucket.includes('.')
    ? `https://s3.${place.region}.amazonaws.com/${bucket}/${path}`
    : `https://${bucket}.s3.${place.region}.amazonaws.com/${path}`;
}

/**
 * The HTTP URL of one object. The query is left out: in S3 it names no object but asks for something else of it, such
 * as its access list.
 *
 * @param url below `place.origin`, percent-encoded
 * @throws {AssetFailure} `origin-blocked` when the URL lies elsewhere; `origin-not-found` when no S3 key can have the name
 */
export function objectUrl(url: string, place: S3Place, prefix: string): string {
  if (!url.startsWith(place.origin)) {
    throw new AssetFailure('origin-blocked', {
      detail: `the request leads out of the mapping's origin ${place.origin}`,
      hint: 'a mapping reaches only what lies below its origin',
    });
  }
  const [encodedKey = ''] = url.slice(place.origin.length).split(/[?#]/, 1);
  const path = canonicalPath(encodedKey);
  if (path === undefined) {
    throw new AssetFailure('origin-not-found', { detail: 'S3 keys are UTF-8, and this path is not' });
  }
  return prefix + path;
}

/** Each character but the unreserved ones and the slash escaped once: what S3 itself computes the signature over. */
function canonicalPath(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded.replace(/%(?![0-9a-f]{2})/gi, '%25'))
      .split('/')
      .map((part) => encodeURIComponent(part).replace(/[!'()*]/g, escapeCharacter))
      .join('/');
  } catch {
    return undefined;
  }
}

function escapeCharacter(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
