import type { AssetRecord } from '../../asset/record.ts';
import type { Mapping } from '../../config/schema.ts';

const coldWords: Readonly<Record<Mapping['cold'], string>> = {
  passthrough: 'the origin’s bytes',
  wait: 'the copy once it is made, or the origin’s bytes if that takes too long',
  redirect: 'a redirect to the origin',
};

/** One sentence: what the next request of this asset gets, and why. */
export function verdictOf(record: AssetRecord | undefined, mapping: Mapping): string {
  const cold = coldWords[mapping.cold];
  const warm =
    mapping.warm === 'redirect' ? `a ${mapping.redirectStatus} redirect to the stored copy` : 'the stored copy’s bytes';
  const { state, copy, failure, claim } = record ?? {};
  switch (state) {
    case undefined:
      return `Nobody has asked for it yet: the next request gets ${cold} and starts the upload.`;
    case 'known':
      return `Known and not uploaded yet: the next request gets ${cold} and starts the upload.`;
    case 'claimed':
      if (copy !== undefined)
        return `A new version is being uploaded by ${claim?.owner}; until it is proven, requests get ${warm}.`;
      return `${claim?.owner} uploads it now; until it is proven whole, requests get ${cold}.`;
    case 'stored':
    case 'verified':
      return `Stored and proven whole: requests get ${warm}.`;
    case 'failed':
      return `${attempts(failure?.attempts)} failed (${failure?.reason}): requests get ${cold}, and the next attempt comes with the first one after ${until(failure?.retryAt)}.`;
    case 'missing':
      return `The origin does not have it (${failure?.reason}): requests get a 404 until ${until(failure?.retryAt)}, then the origin is asked again.`;
    case 'tombstoned':
      return 'Deleted on purpose: it is never uploaded again. Purge it to lift that.';
  }
}

function until(milliseconds: number | undefined): string {
  return new Date(milliseconds ?? 0).toISOString();
}

function attempts(number = 0): string {
  return number === 1 ? '1 attempt' : `${number} attempts`;
}
