import type { StoreIdentity } from '../../asset/record.ts';
import { buildDeliveryUrl, type DeliveryUrl, encodePublicId, signedPart } from '../../cloudinary/delivery-url.ts';
import { signDelivery } from '../../cloudinary/signature.ts';
import type { CloudinaryAccount } from './cloudinary-url.ts';

/** What precedes the asset type in the account's delivery URLs (contract §6). */
export interface DeliveryHost {
  /** Scheme and host, without a slash at its end. */
  readonly origin: string;
  /** Absent where the host alone names the cloud. */
  readonly cloud?: string;
}

/** @param prefix replaces scheme and host, for example the embedded store's `http://127.0.0.1:8090` */
export function deliveryHost(account: CloudinaryAccount, prefix?: string): DeliveryHost {
  const origin = prefix?.replace(/(?<!\/)\/+$/, '') ?? defaultOrigin(account);
  return account.privateCdn ? { origin } : { origin, cloud: account.cloudName };
}

function defaultOrigin(account: CloudinaryAccount): string {
  const cloudinarys = account.privateCdn ? `${account.cloudName}-res.cloudinary.com` : 'res.cloudinary.com';
  return account.secure
    ? `https://${account.secureDistribution ?? cloudinarys}`
    : `http://${account.cname ?? cloudinarys}`;
}

export interface DeliveryUrlOptions {
  /** As Cloudinary writes it; chained ones joined with `/`. */
  readonly transformation?: string;
  /** Format to convert to; the stored one unless told. */
  readonly format?: string;
}

/**
 * The URL of a stored copy, always with its version: old copies of an earlier version, and cached 404 answers, have
 * other URLs. Copies of type `private` and `authenticated` are signed where the account has a secret.
 */
export function copyUrl(
  account: CloudinaryAccount,
  host: DeliveryHost,
  copy: StoreIdentity & { readonly version: number; readonly format: string },
  options: DeliveryUrlOptions = {},
): string {
  const extension = copy.resourceType === 'raw' ? '' : (options.format ?? copy.format);
  const url: DeliveryUrl = {
    ...host,
    form: 'full',
    resourceType: copy.resourceType,
    deliveryType: copy.deliveryType,
    transformations: options.transformation?.split('/').filter((part) => part !== '') ?? [],
    version: String(copy.version),
    source: encodePublicId(extension === '' ? copy.publicId : `${copy.publicId}.${extension}`),
    query: '',
  };
  if (copy.deliveryType === 'upload' || account.apiSecret === undefined) return buildDeliveryUrl(url);
  const form = account.longUrlSignature ? 'long' : account.signatureAlgorithm;
  return buildDeliveryUrl({ ...url, signature: signDelivery(signedPart(url), account.apiSecret, form) });
}
