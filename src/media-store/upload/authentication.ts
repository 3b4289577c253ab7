import { createHash, timingSafeEqual } from 'node:crypto';
import { stringToSign, verifyParameters } from '../../cloudinary/signature.ts';
import type { Settings } from '../options.ts';
import { StoreError } from '../store-error.ts';
import type { Field, Fields } from './intake/submission.ts';

/** Seconds a signature is valid for, and as far ahead a client's clock may be (contract §1.1). */
const VALIDITY = 3600;

type Credentials = Pick<Settings, 'apiKey' | 'apiSecret' | 'bearerTokens' | 'clock'>;

/**
 * Who sent this request: somebody who holds the account's secret (`authorization` header or signature), or anybody
 * (`unsigned`: only with an upload preset).
 *
 * @throws {StoreError} 401 for credentials that do not fit, 400 for a stale signature
 */
export function authenticate(
  fields: Fields,
  authorization: string | undefined,
  credentials: Credentials,
): 'authenticated' | 'unsigned' {
  if (authorization !== undefined) {
    requireAuthorization(authorization, credentials);
    return 'authenticated';
  }
  const signature = text(fields.get('signature'));
  if (signature === undefined) return 'unsigned';
  const apiKey = text(fields.get('api_key'));
  if (apiKey === undefined) throw new StoreError(401, 'Must supply api_key');
  if (!sameText(apiKey, credentials.apiKey)) throw new StoreError(401, `Invalid api_key ${apiKey}`);
  const parameters = Object.fromEntries(fields);
  if (!verifyParameters(parameters, signature, credentials.apiSecret)) {
    const signed = stringToSign(parameters);
    throw new StoreError(401, `Invalid Signature ${signature}. String to sign - '${signed}'.`);
  }
  requireFreshTimestamp(text(fields.get('timestamp')), credentials.clock());
  return 'authenticated';
}

/**
 * Basic `api_key:api_secret`, or a bearer token.
 *
 * @throws {StoreError} 401
 */
export function requireAuthorization(authorization: string | undefined, credentials: Credentials): void {
  const [, scheme = '', value = ''] = /^([A-Za-z]+)\s+(\S.*)$/.exec(authorization ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') {
    if (credentials.bearerTokens.some((token) => sameText(token, value))) return;
    throw new StoreError(401, 'Invalid token');
  }
  if (scheme.toLowerCase() === 'basic') {
    const [apiKey = '', ...secret] = Buffer.from(value, 'base64').toString('utf8').split(':');
    if (!sameText(apiKey, credentials.apiKey)) throw new StoreError(401, `Invalid api_key ${apiKey}`);
    if (sameText(secret.join(':'), credentials.apiSecret)) return;
    throw new StoreError(401, 'api_secret mismatch');
  }
  throw new StoreError(401, 'Authorization required', { 'www-authenticate': 'Basic realm="Cloudinary"' });
}

function requireFreshTimestamp(timestamp: string | undefined, now: number): void {
  if (timestamp === undefined) throw new StoreError(400, 'Missing required parameter - timestamp');
  if (!/^\d{1,12}$/.test(timestamp)) throw new StoreError(400, `Invalid timestamp ${timestamp}`);
  const age = now / 1000 - Number(timestamp);
  if (Math.abs(age) <= VALIDITY) return;
  const reported = new Date(Number(timestamp) * 1000).toISOString().replace('T', ' ').replace('.000Z', ' +0000');
  const direction = age > 0 ? 'ago' : 'ahead';
  throw new StoreError(400, `Stale request - reported time is ${reported} which is more than 1 hour ${direction}`);
}

function text(field: Field | undefined): string | undefined {
  return typeof field === 'string' && field !== '' ? field : undefined;
}

/** Compares in a time that does not depend on where the texts differ. */
function sameText(left: string, right: string): boolean {
  const digest = (value: string): Buffer => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(left), digest(right));
}
