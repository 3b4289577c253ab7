import { AssetFailure } from '../../asset/failure.ts';
import { type Parameters, signParameters } from '../../cloudinary/signature.ts';
import type { CloudinaryAccount } from './cloudinary-url.ts';

/** How requests prove that they may (contract §1.1): uploads by one of these, the Admin API by `basic` or `bearer`. */
export type Authentication = 'signature' | 'basic' | 'bearer' | 'unsigned';

/** What the account's credentials allow, most usual first. */
export function defaultAuthentication(account: CloudinaryAccount): Authentication {
  if (account.oauthToken !== undefined) return 'bearer';
  return account.apiKey !== undefined && account.apiSecret !== undefined ? 'signature' : 'unsigned';
}

export interface AuthorizedRequest {
  readonly parameters: Parameters;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Adds to an upload request what authorises it. A signature holds for one hour from `now` (milliseconds), so each
 * request and each chunk is signed anew.
 *
 * @throws {AssetFailure} `store-auth` when the account lacks the credentials
 */
export function authorizeUpload(
  account: CloudinaryAccount,
  authentication: Authentication,
  parameters: Parameters,
  now: number,
): AuthorizedRequest {
  if (authentication === 'unsigned') return { parameters, headers: {} };
  if (authentication !== 'signature') return { parameters, headers: authorizationHeader(account, authentication) };
  const { apiKey, apiSecret } = keyAndSecret(account);
  const signed = { ...parameters, timestamp: Math.floor(now / 1000) };
  const options = { algorithm: account.signatureAlgorithm, version: account.signatureVersion };
  return {
    parameters: { ...signed, signature: signParameters(signed, apiSecret, options), api_key: apiKey },
    headers: {},
  };
}

/**
 * Headers for the Admin API, which takes no signatures.
 *
 * @throws {AssetFailure} `store-auth` when the account lacks the credentials
 */
export function authorizeAdmin(account: CloudinaryAccount): Readonly<Record<string, string>> {
  return authorizationHeader(account, account.oauthToken === undefined ? 'basic' : 'bearer');
}

function authorizationHeader(
  account: CloudinaryAccount,
  authentication: 'basic' | 'bearer',
): Readonly<Record<string, string>> {
  if (authentication === 'bearer') {
    if (account.oauthToken === undefined) throw missing('an OAuth token (oauth_token)');
    return { authorization: `Bearer ${account.oauthToken}` };
  }
  const { apiKey, apiSecret } = keyAndSecret(account);
  return { authorization: `Basic ${Buffer.from(`${apiKey}:${apiSecret}`).toString('base64')}` };
}

function keyAndSecret(account: CloudinaryAccount): { readonly apiKey: string; readonly apiSecret: string } {
  const { apiKey, apiSecret } = account;
  if (apiKey === undefined || apiSecret === undefined) throw missing('an API key and secret');
  return { apiKey, apiSecret };
}

function missing(what: string): AssetFailure {
  return new AssetFailure('store-auth', {
    detail: `this needs ${what}, and the account has none`,
    hint: 'CLOUDINARY_URL is written cloudinary://API_KEY:API_SECRET@CLOUD_NAME',
  });
}
