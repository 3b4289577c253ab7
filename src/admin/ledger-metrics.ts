import { Gauge, type Registry } from 'prom-client';
import { assetStates } from '../asset/record.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { memoize } from './memoize.ts';

/** One scrape asks the ledger once, and a storm of scrapes not more often than this. */
const tallyEvery = 1_000;

/**
 * What the ledger knows, asked when it is scraped. In a fleet every process tells the same: take the maximum, not the
 * sum. While the ledger is down these series are absent, and `lazyferry_ledger_up` is 0.
 */
export function registerLedgerMetrics(registry: Registry, ledger: Pick<Ledger, 'tally'>): void {
  const registers = [registry];
  const tally = memoize(tallyEvery, async () => {
    try {
      return await ledger.tally();
    } catch {
      return undefined;
    }
  });
  new Gauge({
    name: 'lazyferry_assets',
    help: 'Assets in the ledger by mapping and state.',
    labelNames: ['mapping', 'state'] as const,
    registers,
    async collect() {
      const rows = await tally();
      this.reset();
      for (const { mapping, states } of rows ?? []) {
        for (const state of assetStates) this.set({ mapping, state }, states[state]);
      }
    },
  });
  new Gauge({
    name: 'lazyferry_failures',
    help: 'Failed and missing assets in the ledger by mapping and reason.',
    labelNames: ['mapping', 'reason'] as const,
    registers,
    async collect() {
      const rows = await tally();
      this.reset();
      for (const { mapping, failures } of rows ?? []) {
        for (const [reason, assets] of Object.entries(failures)) this.set({ mapping, reason }, assets);
      }
    },
  });
  new Gauge({
    name: 'lazyferry_stored_bytes',
    help: 'Bytes of the copies proven whole, by mapping.',
    labelNames: ['mapping'] as const,
    registers,
    async collect() {
      const rows = await tally();
      this.reset();
      for (const { mapping, storedBytes } of rows ?? []) this.set({ mapping }, storedBytes);
    },
  });
  new Gauge({
    name: 'lazyferry_ledger_up',
    help: '1 while the ledger answers, else 0.',
    registers,
    async collect() {
      this.set((await tally()) === undefined ? 0 : 1);
    },
  });
}
