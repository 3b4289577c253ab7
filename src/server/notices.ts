import type { Migration } from '../migration/migration.ts';

/** One sentence for each thing that holds uploads up in this process, for readiness and the dashboard. */
export function noticesOf(
  migration: Pick<Migration, 'breakers' | 'pausedFor'>,
  ledgerTrouble: string | undefined,
): string[] {
  const { pausedFor } = migration;
  return [
    ...(ledgerTrouble === undefined ? [] : [`no upload can be written down: ${ledgerTrouble}`]),
    ...migration.breakers().map(({ target, detail = 'it only fails' }) => {
      return target === 'store'
        ? `no upload begins while the store fails or refuses everything: ${detail}`
        : `no upload from ${target} begins while it only fails: ${detail}`;
    }),
    ...(pausedFor > 0 ? [`the store limits the rate of uploads: they go on in ${Math.ceil(pausedFor / 1000)} s`] : []),
  ];
}
