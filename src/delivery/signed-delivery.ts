import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { AssetKey } from '../asset/key.ts';

/**
 * Signed delivery: where a mapping asks for it, only a URL that the site has signed may start an upload. The signature
 * covers what costs something (which object is uploaded, and until when), so that nobody can spend an account's quota
 * by asking for paths. Documented for those who sign in `docs/signed-delivery.md`.
 */

const expiresName = 'ferry-expires';
const signatureName = 'ferry-signature';

/** What is signed: the path of the site's own, with the query where the mapping counts it, and the end of validity. */
function signedText(key: AssetKey, expires: string): string {
  return `${key.mapping}${key.path}${key.query === '' ? '' : `?${key.query}`}\n${expires}`;
}

/** HMAC-SHA256 (RFC 2104) in lower-case hexadecimal digits. */
export function signatureOf(key: AssetKey, expires: string, secret: string): string {
  return createHmac('sha256', secret).update(signedText(key, expires)).digest('hex');
}

/**
 * Whether the query signs this asset with one of the keys, and still does at `now` (milliseconds since the epoch).
 * Several keys are for rotation: the new one signs, the old one is honoured until its last URL has expired.
 *
 * Takes the same time for every wrong signature and for every key, so that neither can be found out byte by byte.
 */
export function isSigned(query: string, key: AssetKey, secrets: readonly string[], now: number): boolean {
  const expires = only(query, expiresName);
  const signature = only(query, signatureName);
  if (expires === undefined || signature === undefined || !/^\d{1,12}$/.test(expires)) return false;
  const matches = secrets.filter((secret) => equal(signature, signatureOf(key, expires, secret)));
  return matches.length > 0 && now < Number(expires) * 1000;
}

/** The query as the origin and the asset key know it: without the signature. */
export function withoutSignature(query: string): string {
  return query
    .split('&')
    .filter((parameter) => ![expiresName, signatureName].includes(nameOf(parameter)))
    .join('&');
}

/** The parameter's value; undefined where it is missing, or given twice: nobody signs so. */
function only(query: string, name: string): string | undefined {
  const [value, ...others] = query.split('&').filter((parameter) => nameOf(parameter) === name);
  return others.length === 0 ? value?.slice(name.length + 1) : undefined;
}

function nameOf(parameter: string): string {
  return parameter.split('=', 1)[0] ?? '';
}

/** Digests are of one length, whatever the client sent. */
function equal(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
