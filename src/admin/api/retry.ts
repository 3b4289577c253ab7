import type { AssetKey } from '../../asset/key.ts';
import type { AssetRecord } from '../../asset/record.ts';
import type { MigrationOutcome } from '../../migration/migrator.ts';
import type { AdminDependencies, Redo } from '../dependencies.ts';
import { ApiError } from './api-error.ts';

type Ended = Exclude<MigrationOutcome, { readonly kind: 'postponed' }>;

export interface Retry {
  /**
   * Makes one attempt.
   *
   * @throws {ApiError} 503 when it was not tried
   */
  now(key: AssetKey, redo: Redo): Promise<Ended>;
  /** Starts one attempt; what it comes to is in the ledger. */
  inBackground(key: AssetKey, redo: Redo): void;
}

const notTried: Readonly<Record<Extract<MigrationOutcome, { kind: 'postponed' }>['why'], string>> = {
  overloaded: 'too many uploads wait already: try again later',
  'ledger-down': 'the ledger does not answer: try again when it does',
  'store-down': 'the store fails or refuses everything: try again when it is mended',
  'origin-down': 'the origin fails for everything: try again when it is mended',
  superseded: 'another process took the upload over: look at its outcome',
  stopping: 'this process is stopping: ask another one',
};

export function createRetry({ migrate, report }: Pick<AdminDependencies, 'migrate' | 'report'>): Retry {
  return {
    async now(key, redo) {
      const outcome = await migrate(key, redo);
      if (outcome.kind === 'postponed') throw new ApiError(503, 'not-tried', `not tried: ${notTried[outcome.why]}`);
      return outcome;
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
