import type { AssetKey } from '../../asset/key.ts';
import type { AssetRecord } from '../../asset/record.ts';
import type { Mapping } from '../../config/schema.ts';
import type { AdminDependencies, Job } from '../dependencies.ts';
import { reasonHints } from './reason-hints.ts';

/** The path that clients ask for. */
export function deliveryPathOf(key: AssetKey): string {
  return `${key.mapping}${key.path}${key.query === '' ? '' : `?${key.query}`}`;
}

/** A record as the API shows it: times in ISO 8601, the copy with its address, the failure with its hint. */
export function recordView(record: AssetRecord, copyUrl: AdminDependencies['copyUrl']) {
  const { key, originUrl, state, copy, origin, failure, claim } = record;
  return {
    path: deliveryPathOf(key),
    key,
    state,
    originUrl,
    ...(copy !== undefined && {
      copy: {
        ...copy,
        url: copyUrl({ ...record, copy }),
        storedAt: time(copy.storedAt),
        ...(copy.verifiedAt !== undefined && { verifiedAt: time(copy.verifiedAt) }),
      },
    }),
    ...(origin !== undefined && { origin }),
    ...(failure !== undefined && {
      failure: { ...failure, retryAt: time(failure.retryAt), hint: reasonHints[failure.reason] },
    }),
    ...(claim !== undefined && { claim: { owner: claim.owner, leaseUntil: time(claim.leaseUntil) } }),
    createdAt: time(record.createdAt),
    updatedAt: time(record.updatedAt),
  };
}

export function jobView(job: Job) {
  const { key, startedAt, bytes, totalBytes, via } = job;
  return { path: deliveryPathOf(key), key, startedAt: time(startedAt), bytes, totalBytes, via };
}

/** What an operator needs of a mapping; of its credentials only the kind. */
export function mappingView(mapping: Mapping) {
  const { prefix, origin, folder, resourceType, cold, warm, redirectStatus, transformation, query, upload, allow } =
    mapping;
  return {
    prefix,
    origin,
    folder,
    resourceType,
    cold,
    warm,
    redirectStatus,
    transformation,
    query,
    upload: { via: upload.via, type: upload.type, overwrite: upload.overwrite },
    allow,
    auth: mapping.auth?.kind ?? null,
  };
}

/** ISO 8601; clocks that lie beyond what a date can hold give null, not an error. */
function time(milliseconds: number): string | null {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
