import type { AssetKey } from '../../asset/key.ts';
import type { AssetRecord } from '../../asset/record.ts';
import type { AdminDependencies } from '../dependencies.ts';
import { ApiError } from './api-error.ts';
import { deliveryPathOf } from './views.ts';

/** One asset a change is meant for. */
export interface Target {
  readonly key: AssetKey;
  readonly originUrl: string;
  /** Absent: the ledger knows nothing of it. */
  readonly record: AssetRecord | undefined;
}

/**
 * Finds the asset that a body names. By key also where its mapping is gone, as long as the ledger has it.
 *
 * @throws {ApiError} 404 when no mapping fits and the ledger has no record
 */
export async function findTarget(
  { explain, ledger }: Pick<AdminDependencies, 'explain' | 'ledger'>,
  named: { path?: string | undefined; key?: AssetKey | undefined },
): Promise<Target> {
  if (named.key !== undefined) {
    const record = await ledger.lookup(named.key);
    if (record !== undefined) return { key: record.key, originUrl: record.originUrl, record };
  }
  const path = named.path ?? (named.key === undefined ? '/' : deliveryPathOf(named.key));
  const explanation = explain(path);
  if (explanation.kind !== 'mapped') throw new ApiError(404, 'no-mapping', explanation.detail);
  const { key, originUrl } = explanation;
  return { key, originUrl, record: await ledger.lookup(key) };
}
