import type { AssetRecord } from '../../asset/record.ts';
import type { AdminDependencies } from '../dependencies.ts';
import type { Retry } from './retry.ts';

/**
 * What purging an asset means: the ledger forgets it, and the next request starts from nothing. Where the mapping
 * follows drift and a copy is in service, that copy is replaced instead: it serves on until the origin's version of
 * today is proven.
 */
export function createPurge({ ledger, mappings }: Pick<AdminDependencies, 'ledger' | 'mappings'>, retry: Retry) {
  return async ({ key, copy }: AssetRecord): Promise<'forgotten' | 'refreshed' | 'failed'> => {
    const mapping = mappings().find(({ prefix }) => prefix === key.mapping);
    if (copy === undefined || mapping === undefined || mapping.drift.policy === 'pin') {
      return (await ledger.forget(key)) ? 'forgotten' : 'failed';
    }
    return (await retry.now(key, 'refresh')).kind === 'stored' ? 'refreshed' : 'failed';
  };
}
