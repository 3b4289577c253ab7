import { type AssetState, assetStates } from '../../asset/record.ts';
import type { Mapping } from '../../config/schema.ts';
import type { LedgerTally } from '../../ledger/ledger.ts';

export interface Coverage {
  readonly mapping: string;
  /** False: the ledger has assets of it, the configuration no longer names it. */
  readonly configured: boolean;
  readonly origin: string | undefined;
  readonly states: Readonly<Record<AssetState, number>>;
  readonly storedBytes: number;
  /** Assets that are to be moved: all but those missing at the origin or deleted on purpose. */
  readonly wanted: number;
  readonly stored: number;
  /** `stored / wanted`, from 0 to 1; null while nothing is wanted. */
  readonly share: number | null;
}

/** One row for each mapping that is configured or has assets, in the order of the configuration. */
export function coverageOf(mappings: readonly Mapping[], tallies: readonly LedgerTally[]): Coverage[] {
  const byMapping = new Map(tallies.map((tally) => [tally.mapping, tally]));
  const configured = mappings.map((mapping) => row(mapping.prefix, mapping, byMapping.get(mapping.prefix)));
  const names = new Set(mappings.map((mapping) => mapping.prefix));
  const former = tallies
    .filter((tally) => !names.has(tally.mapping) && assetStates.some((state) => tally.states[state] > 0))
    .map((tally) => row(tally.mapping, undefined, tally));
  return [...configured, ...former];
}

function row(prefix: string, mapping: Mapping | undefined, tally: LedgerTally | undefined): Coverage {
  const states = Object.fromEntries(assetStates.map((state) => [state, tally?.states[state] ?? 0])) as Record<
    AssetState,
    number
  >;
  const stored = states.stored + states.verified;
  const wanted = stored + states.known + states.claimed + states.failed;
  return {
    mapping: prefix,
    configured: mapping !== undefined,
    origin: mapping?.origin,
    states,
    storedBytes: tally?.storedBytes ?? 0,
    wanted,
    stored,
    share: wanted === 0 ? null : stored / wanted,
  };
}
