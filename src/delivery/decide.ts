import type { AssetRecord, StoredCopy } from '../asset/record.ts';
import type { Mapping } from '../config/schema.ts';

export type Decision =
  /** The copy is stored and proven: answer with it. */
  | { readonly kind: 'warm'; readonly copy: StoredCopy }
  /** The origin said that there is no such object, not long ago. */
  | { readonly kind: 'missing'; readonly record: AssetRecord }
  /** Deleted on purpose. */
  | { readonly kind: 'tombstoned' }
  /** Answer from the origin; `due` tells whether the copy may be tried now. */
  | { readonly kind: 'cold'; readonly due: boolean };

/**
 * What a record (undefined: none, or the ledger is down) means for one request at `now`, in milliseconds. The local
 * clock is good enough here: the ledger decides again when the asset is claimed.
 */
export function decide(record: AssetRecord | undefined, now: number): Decision {
  if (record === undefined) return { kind: 'cold', due: true };
  if (record.state === 'tombstoned') return { kind: 'tombstoned' };
  if (record.copy !== undefined) return { kind: 'warm', copy: record.copy };
  const resting = record.failure !== undefined && record.failure.retryAt > now;
  if (record.state === 'missing' && resting) return { kind: 'missing', record };
  const uploading = record.state === 'claimed' && (record.claim?.leaseUntil ?? 0) > now;
  return { kind: 'cold', due: !uploading && !(record.state === 'failed' && resting) };
}

/** Whether a stored asset is old enough to ask the origin for a newer version. Each answer counts from anew. */
export function revalidationDue(record: AssetRecord, drift: Mapping['drift'], now: number): boolean {
  if (drift.policy !== 'revalidate' || record.state === 'claimed') return false;
  // A failed look waits for its own time.
  return record.updatedAt + drift.after <= now && (record.failure?.retryAt ?? 0) <= now;
}
