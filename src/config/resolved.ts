import type { Config, Mapping } from './schema.ts';

/** The configuration as the product uses it: every default in place, deeply frozen. */
export interface ResolvedConfig extends Omit<Config, 'mappings' | 'ledger' | 'store'> {
  /** Absolute. */
  readonly dataDirectory: string;
  readonly mappings: readonly Mapping[];
  readonly ledger: Config['ledger'] & { readonly url: string };
  /** `url` is undefined where the embedded store is used. */
  readonly store: Omit<Config['store'], 'embedded'> & {
    readonly embedded: Config['store']['embedded'] & { readonly dir: string };
  };
}

/** Fills in what depends on the environment and on other values. */
export function resolveConfig(
  config: Config,
  mappings: readonly Mapping[],
  places: { readonly dataDirectory: string; readonly ledgerUrl: string; readonly storeDirectory: string },
): ResolvedConfig {
  return deepFreeze({
    ...config,
    dataDirectory: places.dataDirectory,
    mappings,
    ledger: { ...config.ledger, url: config.ledger.url ?? places.ledgerUrl },
    store: {
      ...config.store,
      embedded: { ...config.store.embedded, dir: config.store.embedded.dir ?? places.storeDirectory },
    },
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
