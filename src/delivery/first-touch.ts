import type { IncomingMessage } from 'node:http';
import { isbot } from 'isbot';
import { LRUCache } from 'lru-cache';
import type { Asset } from '../asset/asset.ts';
import type { Mapping } from '../config/schema.ts';
import { clientNetwork } from '../http/client-network.ts';
import { Budget } from './budget.ts';
import type { Exchange } from './exchange.ts';

/** Clients whose budgets are remembered. A client that falls out begins anew. */
const clientsRemembered = 10_000;

export interface FirstTouchOptions {
  /** Address of the client behind the proxies that are trusted. */
  readonly clientOf: (request: IncomingMessage) => string;
  /** Milliseconds, of any clock that does not go back. */
  readonly now: () => number;
}

/**
 * Decides whether a request for a cold asset may start its upload. Scans of unknown paths and crawlers shall not spend
 * upload quota; whoever is turned down is served from the origin all the same.
 */
export class FirstTouch {
  readonly #options: FirstTouchOptions;
  readonly #byClient = new LRUCache<string, Budget>({ max: clientsRemembered });
  readonly #byMapping = new Map<string, { readonly rate: number; readonly budget: Budget }>();

  constructor(options: FirstTouchOptions) {
    this.#options = options;
  }

  /** Takes of the budgets: see {@link isAdmitted}. */
  admits({ request, mapping }: Pick<Exchange, 'request' | 'mapping'>): boolean {
    if (!mapping.firstTouch.bots && isbot(request.headers['user-agent'])) return false;
    return this.#clientMay(request, mapping) && this.#mappingMay(mapping);
  }

  #clientMay(request: IncomingMessage, { prefix, firstTouch }: Mapping): boolean {
    if (firstTouch.perClient === 0) return true;
    const now = this.#options.now();
    const client = `${prefix} ${clientNetwork(this.#options.clientOf(request))}`;
    const budget = this.#byClient.get(client) ?? new Budget(firstTouch.perClient, 60_000, now);
    this.#byClient.set(client, budget);
    return budget.take(now);
  }

  #mappingMay({ prefix, firstTouch }: Mapping): boolean {
    const rate = firstTouch.perSecond;
    if (rate === 0) return true;
    const now = this.#options.now();
    const known = this.#byMapping.get(prefix);
    // Rates below one a second still let one begin.
    const size = Math.max(1, rate);
    const budget = known?.rate === rate ? known.budget : new Budget(size, (size / rate) * 1000, now);
    this.#byMapping.set(prefix, { rate, budget });
    return budget.take(now);
  }
}

/** What the budgets say of this request, which takes of them once. */
export function isAdmitted(exchange: Exchange, firstTouch: FirstTouch): boolean {
  exchange.admitted ??= firstTouch.admits(exchange);
  return exchange.admitted;
}

/** Whether the mapping stores objects of this name at all. */
export function mayBeStored({ allow }: Mapping, { filename }: Asset): boolean {
  return allow.extensions === undefined || allow.extensions.includes(extensionOf(filename));
}

function extensionOf(filename: string): string {
  return /\.([A-Za-z0-9]+)$/.exec(filename)?.[1]?.toLowerCase() ?? '';
}
