import { isDeepStrictEqual } from 'node:util';
import { memberOf } from './known-keys.ts';
import type { ResolvedConfig } from './resolved.ts';

/** Read for each request. */
const takenUpAtOnce: ReadonlySet<string> = new Set(['listen.trustedProxies']);

/**
 * Options that differ and are read at the start only, such as `ledger.url`: whoever changed them wants to know that
 * they wait for a restart. Mappings are taken up at once.
 */
export function optionsThatWait(before: ResolvedConfig, after: ResolvedConfig): string[] {
  return (['listen', 'store', 'ledger', 'spool', 'admin', 'log', 'shutdown'] as const).flatMap((section) => {
    const options = new Set([...Object.keys(before[section]), ...Object.keys(after[section])]);
    return [...options]
      .filter((option) => !takenUpAtOnce.has(`${section}.${option}`))
      .filter((option) => !isDeepStrictEqual(memberOf(before[section], option), memberOf(after[section], option)))
      .map((option) => `${section}.${option}`);
  });
}
