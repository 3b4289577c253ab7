import { type AssetState, assetStates } from '../asset/record.ts';
import type { LedgerTally } from './ledger.ts';

/** Adds up counts as drivers keep them, one line for a mapping and a state, to tallies in the order of the mappings. */
export class TallySheet {
  readonly #tallies = new Map<string, { states: Record<AssetState, number>; storedBytes: number }>();

  add(mapping: string, state: AssetState, assets: number, bytes: number): void {
    const tally = this.#tallies.get(mapping) ?? { states: noAssets(), storedBytes: 0 };
    tally.states[state] += assets;
    tally.storedBytes += bytes;
    this.#tallies.set(mapping, tally);
  }

  /** Mappings without any asset are left out. */
  total(): LedgerTally[] {
    return [...this.#tallies]
      .filter(([, { states }]) => Object.values(states).some((assets) => assets > 0))
      .map(([mapping, tally]) => ({ mapping, ...tally }))
      .sort((a, b) => (a.mapping < b.mapping ? -1 : 1));
  }
}

function noAssets(): Record<AssetState, number> {
  return Object.fromEntries(assetStates.map((state) => [state, 0])) as Record<AssetState, number>;
}
