import { lookup as typeOfName } from 'mime-types';
import type { Asset } from '../asset/asset.ts';
import { AssetFailure } from '../asset/failure.ts';
import type { Mapping } from '../config/schema.ts';
import type { OriginResponse } from '../origin/origin.ts';
import { forbidsSharing } from '../origin/sharing.ts';
import { statusFailure } from '../origin/status.ts';
import { guardContent } from './content-guard.ts';
import { type TypeMismatch, typeMismatch } from './type-mismatch.ts';

/** Types that say nothing: servers send them when they do not know. */
const unknownTypes = new Set(['application/octet-stream', 'binary/octet-stream', 'application/x-download']);

/**
 * Judges the origin's answer, and the beginning of its body, before anything is sent to the store.
 *
 * Resolves with what does not agree of its types, for the operator.
 * Rejects with `AssetFailure`: `origin-*` by status, `origin-private`, `wrong-type`, `too-large`.
 */
export async function examine(
  asset: Asset,
  mapping: Mapping,
  response: OriginResponse,
  head: Buffer,
): Promise<TypeMismatch | undefined> {
  const failure = statusFailure(response);
  if (failure !== undefined) throw failure;
  if (response.status !== 200) {
    throw new AssetFailure('origin-error', {
      detail: `the origin answered ${response.status} to a request for the whole object`,
      status: response.status,
    });
  }
  if (!mapping.allow.private && forbidsSharing(response)) {
    throw new AssetFailure('origin-private', {
      detail: 'the origin forbids shared copies: private or no-store, also for CDNs alone, Set-Cookie, or Vary: *',
      hint: 'mend the headers at the origin, or set allow.private',
    });
  }
  const encoding = response.facts.contentEncoding;
  if (encoding !== undefined && encoding !== 'identity') {
    throw new AssetFailure('wrong-type', {
      detail: `the origin sends ${encoding}-encoded bytes though asked for identity`,
      hint: 'switch compression off for media at the origin',
    });
  }
  const type = mediaType(response.facts.contentType, asset.filename);
  if (!mapping.allow.types.some((allowed) => matches(allowed, type))) {
    throw new AssetFailure('wrong-type', {
      detail: `content type ${type} is not among the allowed ones`,
      hint: `allowed are ${mapping.allow.types.join(', ')}: see allow.types`,
    });
  }
  const { length } = response;
  if (length !== undefined && length > mapping.allow.maxBytes) {
    throw new AssetFailure('too-large', {
      detail: `${length} bytes are more than the ${mapping.allow.maxBytes} allowed`,
      hint: 'see allow.maxBytes',
    });
  }
  return typeMismatch(type, asset.filename, await guardContent(head, type));
}

/** The declared type without parameters, lower case; where that says nothing, the file name's. */
function mediaType(declared: string | undefined, filename: string): string {
  const type = declared?.split(';')[0]?.trim().toLowerCase();
  if (type !== undefined && type !== '' && !unknownTypes.has(type)) return type;
  const byName = typeOfName(filename);
  return byName === false ? (type ?? 'application/octet-stream') : byName;
}

function matches(allowed: string, type: string): boolean {
  const pattern = allowed.toLowerCase();
  return pattern === '*/*' || pattern === type || (pattern.endsWith('/*') && type.startsWith(pattern.slice(0, -1)));
}
