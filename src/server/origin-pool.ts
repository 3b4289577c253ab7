import { isDeepStrictEqual } from 'node:util';
import type { Mapping } from '../config/schema.ts';
import type { Origin } from '../origin/origin.ts';

/** Requests under way at an origin that a reload has replaced get this long to finish. */
const retireMs = 60_000;

/** One long-lived origin per mapping: it holds the connections and the credentials. Opened when first needed. */
export class OriginPool {
  readonly #open: (mapping: Mapping) => Origin;
  readonly #origins = new Map<string, { readonly mapping: Mapping; readonly origin: Origin }>();
  readonly #retiring = new Set<NodeJS.Timeout>();

  constructor(open: (mapping: Mapping) => Origin) {
    this.#open = open;
  }

  of(mapping: Mapping): Origin {
    const current = this.#origins.get(mapping.prefix);
    if (current !== undefined && sameSource(current.mapping, mapping)) return current.origin;
    if (current !== undefined) this.#retire(current.origin);
    const origin = this.#open(mapping);
    this.#origins.set(mapping.prefix, { mapping, origin });
    return origin;
  }

  /** Lets go of what these mappings no longer need. */
  keep(mappings: readonly Mapping[]): void {
    for (const [prefix, { mapping, origin }] of this.#origins) {
      if (mappings.some((kept) => kept.prefix === prefix && sameSource(kept, mapping))) continue;
      this.#origins.delete(prefix);
      this.#retire(origin);
    }
  }

  async close(): Promise<void> {
    for (const timer of this.#retiring) clearTimeout(timer);
    await Promise.allSettled([...this.#origins.values()].map(({ origin }) => origin.close()));
  }

  #retire(origin: Origin): void {
    const timer = setTimeout(() => {
      this.#retiring.delete(timer);
      void origin.close();
    }, retireMs).unref();
    this.#retiring.add(timer);
  }
}

function sameSource(one: Mapping, other: Mapping): boolean {
  return (
    one === other ||
    (one.origin === other.origin &&
      isDeepStrictEqual(one.network, other.network) &&
      isDeepStrictEqual(one.auth, other.auth))
  );
}
