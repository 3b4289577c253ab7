import type { AssetKey } from '../../src/asset/key.ts';
import type { StoredCopy } from '../../src/asset/record.ts';
import type { ClaimRequest, Settlement } from '../../src/ledger/ledger.ts';

/** Keys, requests and settlements as tests of ledgers need them. */

export const hour = 3_600_000;

export function keyOf(path: string, mapping = '/images/', query = ''): AssetKey {
  return { mapping, path, query };
}

export function requestFor(key: AssetKey, more: Partial<ClaimRequest> = {}): ClaimRequest {
  return { key, originUrl: `https://origin.test/static/${key.path}`, owner: 'host:1:a', leaseMs: hour, ...more };
}

export function storedAs(publicId: string, more: Partial<StoredCopy> = {}): Settlement {
  return {
    state: 'stored',
    copy: {
      resourceType: 'image',
      deliveryType: 'upload',
      publicId,
      version: 1_700_000_000,
      format: 'jpg',
      bytes: 12_345,
      md5: 'd41d8cd98f00b204e9800998ecf8427e',
      sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      proof: 'read',
      ...more,
    },
    origin: {
      bytes: 12_345,
      contentType: 'image/jpeg',
      etag: '"5f3a-17ab"',
      lastModified: 'Tue, 24 Nov 2020 10:00:00 GMT',
      cacheControl: 'max-age=3600',
    },
  };
}

export function failedFor(
  retryInMs: number,
  state: 'failed' | 'missing' = 'failed',
): Exclude<Settlement, { state: 'stored' }> {
  return {
    state,
    reason: state === 'failed' ? 'origin-timeout' : 'origin-not-found',
    detail: 'the origin did not answer within 15 s',
    retryInMs,
  };
}
