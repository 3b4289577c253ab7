import type { AssetKey } from '../../asset/key.ts';
import type { AssetRecord } from '../../asset/record.ts';
import type { AdminDependencies, Redo } from '../dependencies.ts';
import { ApiError } from './api-error.ts';

export interface Retry {
  /** Makes one attempt; true when the asset is stored after it. */
  now(key: AssetKey, redo: Redo): Promise<boolean>;
  /** Starts one attempt; what it comes to is in the ledger. */
  inBackground(key: AssetKey, redo: Redo): void;
}

export function createRetry({
  migrate,
  ledger,
  report,
}: Pick<AdminDependencies, 'migrate' | 'ledger' | 'report'>): Retry {
  return {
    async now(key, redo) {
      await migrate(key, redo);
      const state = (await ledger.lookup(key))?.state;
      return state === 'stored' || state === 'verified';
    },
    inBackground(key, redo) {
      migrate(key, redo).catch(report);
    },
  };
}

/** Why an attempt would change nothing; undefined when it may be made. */
export function retryProblem(record: AssetRecord | undefined, redo: Redo): ApiError | undefined {
  switch (record?.state) {
    case 'tombstoned':
      return new ApiError(409, 'tombstoned', 'it was deleted on purpose: purge it first, then retry');
    case 'claimed':
      return new ApiError(409, 'under-way', `${record.claim?.owner} uploads it now: wait for its outcome`);
    case 'stored':
    case 'verified':
      if (redo !== 'retry') return undefined;
      return new ApiError(409, 'stored', 'it is stored already: to read the origin again use "redo": "refresh"');
    default:
      return undefined;
  }
}
