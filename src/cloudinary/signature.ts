import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Cloudinary's signatures: upload requests, responses, notifications, delivery URLs (contract §1). All are plain
 * hashes with the API secret appended, not HMACs.
 */

export type SignatureAlgorithm = 'sha1' | 'sha256';

/** How a request's parameters are written before they are signed; 2 escapes `&` in values. Never transmitted. */
export type SignatureVersion = 1 | 2;

/** A value as it is sent: arrays go out as repeated `key[]` fields and are signed joined with commas. */
export type ParameterValue = string | number | boolean | readonly (string | number)[] | null | undefined;

export type Parameters = Readonly<Record<string, ParameterValue>>;

/** Sent with a request and never part of what is signed (contract §1.1). */
const unsignedParameters = new Set([
  'file',
  'cloud_name',
  'resource_type',
  'api_key',
  'signature',
  'x_unique_upload_id',
]);

/**
 * The text of a parameter as it is signed and sent, or undefined where Cloudinary drops it as blank: booleans are
 * `1` and `0`, and `0` is not blank.
 */
export function parameterText(value: ParameterValue): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'boolean') return value ? '1' : '0';
  const text = typeof value === 'object' ? value.join(',') : String(value);
  return text === '' ? undefined : text;
}

/** The string to sign, without the secret: `key=value` pairs by key, joined with `&`. */
export function stringToSign(parameters: Parameters, version: SignatureVersion = 2): string {
  return Object.keys(parameters)
    .filter((key) => !unsignedParameters.has(key))
    .sort()
    .flatMap((key) => {
      const text = parameterText(parameters[key]);
      return text === undefined ? [] : [`${key}=${text}`];
    })
    .map((pair) => (version === 2 ? pair.replaceAll('&', '%26') : pair))
    .join('&');
}

export interface SigningOptions {
  readonly algorithm?: SignatureAlgorithm;
  readonly version?: SignatureVersion;
}

/** Signature of an upload request, in lower-case hex. */
export function signParameters(parameters: Parameters, secret: string, options: SigningOptions = {}): string {
  return hexDigest(stringToSign(parameters, options.version) + secret, options.algorithm ?? 'sha1');
}

/** Whether the signature fits by either version; the algorithm is told by the length. */
export function verifyParameters(parameters: Parameters, signature: string, secret: string): boolean {
  return ([2, 1] as const).some((version) => fits(stringToSign(parameters, version) + secret, signature));
}

/** Signature of an upload response: always version 1, over the public ID and the version only (contract §1.2). */
export function signResponse(
  publicId: string,
  version: number,
  secret: string,
  algorithm: SignatureAlgorithm = 'sha1',
): string {
  return hexDigest(responseText(publicId, version) + secret, algorithm);
}

export function verifyResponse(publicId: string, version: number, signature: string, secret: string): boolean {
  return fits(responseText(publicId, version) + secret, signature);
}

function responseText(publicId: string, version: number): string {
  return stringToSign({ public_id: publicId, version }, 1);
}

/** Signature of a notification (`X-Cld-Signature`) over the raw body and its timestamp (contract §1.3). */
export function signNotification(
  body: string | Uint8Array,
  timestamp: number,
  secret: string,
  algorithm: SignatureAlgorithm = 'sha1',
): string {
  return createHash(algorithm).update(body).update(`${timestamp}${secret}`).digest('hex');
}

export interface ReceivedNotification {
  /** The body's bytes as received: a parsed and rewritten body has another signature. */
  readonly body: string | Uint8Array;
  /** `X-Cld-Timestamp`: Unix seconds. */
  readonly timestamp: string;
  /** `X-Cld-Signature`. */
  readonly signature: string;
}

/** Whether Cloudinary sent this notification, no more than `validForSeconds` ago. `now` in milliseconds. */
export function verifyNotification(
  notification: ReceivedNotification,
  secret: string,
  { now, validForSeconds = 7200 }: { readonly now: number; readonly validForSeconds?: number },
): boolean {
  if (!/^\d{1,12}$/.test(notification.timestamp)) return false;
  const timestamp = Number(notification.timestamp);
  if (timestamp < now / 1000 - validForSeconds) return false;
  const algorithm = algorithmOf(notification.signature);
  if (algorithm === undefined) return false;
  return equal(signNotification(notification.body, timestamp, secret, algorithm), notification.signature.toLowerCase());
}

/** Forms of a delivery URL's signature: 8 characters of SHA-1 or SHA-256, or 32 of SHA-256 (`long_url_signature`). */
export type DeliverySignatureForm = 'sha1' | 'sha256' | 'long';

/**
 * Signature of a delivery URL, as it stands between `s--` and `--` (contract §1.4).
 *
 * @param signedPart see `signedPart` in `delivery-url.ts`
 */
export function signDelivery(signedPart: string, secret: string, form: DeliverySignatureForm = 'sha1'): string {
  return createHash(form === 'sha1' ? 'sha1' : 'sha256')
    .update(signedPart + secret)
    .digest('base64url')
    .slice(0, form === 'long' ? 32 : 8);
}

export function verifyDelivery(signedPart: string, signature: string, secret: string): boolean {
  const forms: readonly DeliverySignatureForm[] = signature.length === 32 ? ['long'] : ['sha1', 'sha256'];
  return forms.some((form) => equal(signDelivery(signedPart, secret, form), signature));
}

function hexDigest(text: string, algorithm: SignatureAlgorithm): string {
  return createHash(algorithm).update(text).digest('hex');
}

function fits(text: string, signature: string): boolean {
  const algorithm = algorithmOf(signature);
  return algorithm !== undefined && equal(hexDigest(text, algorithm), signature.toLowerCase());
}

function algorithmOf(signature: string): SignatureAlgorithm | undefined {
  if (signature.length === 40) return 'sha1';
  return signature.length === 64 ? 'sha256' : undefined;
}

/** Compares in a time that depends on the lengths only. */
function equal(expected: string, given: string): boolean {
  const left = Buffer.from(expected);
  const right = Buffer.from(given);
  return left.length === right.length && timingSafeEqual(left, right);
}
