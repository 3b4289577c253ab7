import type { SignatureAlgorithm, SignatureVersion } from '../../cloudinary/signature.ts';

/** What a CLOUDINARY_URL says of an account. */
export interface CloudinaryAccount {
  readonly cloudName: string;
  readonly apiKey?: string;
  readonly apiSecret?: string;
  readonly oauthToken?: string;
  /** API host with scheme, without a slash at its end. */
  readonly uploadPrefix: string;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly signatureVersion: SignatureVersion;
  readonly longUrlSignature: boolean;
  /** HTTPS delivery URLs; unless the URL says `secure=false`. */
  readonly secure: boolean;
  /** The account has a delivery host of its own, so that URLs need not name the cloud. */
  readonly privateCdn: boolean;
  /** Host of HTTPS delivery URLs where it is not Cloudinary's. */
  readonly secureDistribution?: string;
  /** Host of plain HTTP delivery URLs (`secure=false`) where it is not Cloudinary's. */
  readonly cname?: string;
}

/** The text is no CLOUDINARY_URL. The message says what would be right and never holds any of it. */
export class InvalidCloudinaryUrl extends Error {
  override readonly name = 'InvalidCloudinaryUrl';
}

const shape = 'cloudinary://API_KEY:API_SECRET@CLOUD_NAME';

/**
 * Reads every documented form: `cloudinary://key:secret@cloud`, with a path for the delivery host of a private CDN
 * (`/media.example.com`) and a query for the SDKs' configuration keys (`?upload_prefix=…&secure=false`). Without a
 * secret uploads are unsigned. Unknown keys are ignored, as the SDKs do (contract §2.2).
 *
 * @throws {InvalidCloudinaryUrl}
 */
export function parseCloudinaryUrl(text: string): CloudinaryAccount {
  if (/^\s*CLOUDINARY_URL\s*=/.test(text)) {
    throw new InvalidCloudinaryUrl(`the value of CLOUDINARY_URL begins with its own name: give ${shape} only`);
  }
  const trimmed = text.trim();
  if (!/^cloudinary:\/\//i.test(trimmed) || !URL.canParse(trimmed)) {
    throw new InvalidCloudinaryUrl(`not a CLOUDINARY_URL: it is written ${shape}`);
  }
  const url = new URL(trimmed);
  const cloudName = url.hostname;
  if (!/^[A-Za-z0-9_-]+$/.test(cloudName)) {
    throw new InvalidCloudinaryUrl(`CLOUDINARY_URL names no cloud: it is written ${shape}`);
  }
  if (/%3C|%3E|[<>*]|^your_/i.test(`${url.username}${url.password}`)) {
    throw new InvalidCloudinaryUrl(`CLOUDINARY_URL still holds a placeholder: put your key and secret into ${shape}`);
  }
  const query = (key: string): string | undefined => url.searchParams.get(key) || undefined;
  const apiKey = decoded(url.username) || query('api_key');
  const apiSecret = decoded(url.password) || query('api_secret');
  if (apiKey === undefined && apiSecret !== undefined) {
    throw new InvalidCloudinaryUrl(`CLOUDINARY_URL has a secret and no key: it is written ${shape}`);
  }
  const path = url.pathname.replace(/^\/+|(?<!\/)\/+$/g, '');
  const secureDistribution = query('secure_distribution') ?? (path === '' ? undefined : path);
  const oauthToken = query('oauth_token');
  const cname = query('cname');
  return {
    cloudName,
    ...(apiKey !== undefined && { apiKey }),
    ...(apiSecret !== undefined && { apiSecret }),
    ...(oauthToken !== undefined && { oauthToken }),
    uploadPrefix: apiHost(query('upload_prefix') ?? 'https://api.cloudinary.com'),
    signatureAlgorithm: oneOf('signature_algorithm', query('signature_algorithm') ?? 'sha1', ['sha1', 'sha256']),
    signatureVersion: Number(oneOf('signature_version', query('signature_version') ?? '2', ['1', '2'])) === 1 ? 1 : 2,
    longUrlSignature: isTrue(query('long_url_signature'), false),
    secure: isTrue(query('secure'), true),
    privateCdn: isTrue(query('private_cdn'), path !== ''),
    ...(secureDistribution !== undefined && { secureDistribution: host('secure_distribution', secureDistribution) }),
    ...(cname !== undefined && { cname: host('cname', cname) }),
  };
}

/**
 * The API host with its scheme; `api-eu.cloudinary.com` alone is taken for https.
 *
 * @throws {InvalidCloudinaryUrl}
 */
export function apiHost(text: string): string {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `https://${text}`;
  if (!/^https?:\/\/[^/?#@]+\/*$/i.test(withScheme) || !URL.canParse(withScheme)) {
    throw new InvalidCloudinaryUrl(
      'upload_prefix is the scheme and host of the API alone, such as https://api-eu.cloudinary.com',
    );
  }
  return new URL(withScheme).origin;
}

/** A secret with a bare `%` in it is taken as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A delivery host, maybe given as a URL. */
function host(key: string, value: string): string {
  const bare = value.replace(/^https?:\/\//i, '').replace(/(?<!\/)\/+$/, '');
  if (!/^[A-Za-z0-9.-]+(?::\d+)?$/.test(bare)) {
    throw new InvalidCloudinaryUrl(`${key} in CLOUDINARY_URL is a host name alone, such as media.example.com`);
  }
  return bare;
}

function oneOf<const Value extends string>(key: string, value: string, allowed: readonly Value[]): Value {
  const found = allowed.find((candidate) => candidate === value.toLowerCase());
  if (found === undefined) throw new InvalidCloudinaryUrl(`${key} in CLOUDINARY_URL is ${allowed.join(' or ')}`);
  return found;
}

/** The Node SDK takes the text `false` for true; nobody means that. */
function isTrue(value: string | undefined, otherwise: boolean): boolean {
  return value === undefined ? otherwise : !['false', '0', 'no', 'off'].includes(value.toLowerCase());
}
