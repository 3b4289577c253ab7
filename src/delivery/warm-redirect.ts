import { LRUCache } from 'lru-cache';
import type { StoredCopy } from '../asset/record.ts';
import { cacheStatus, cacheTags, publicHeaders } from './answer-headers.ts';
import type { Exchange } from './exchange.ts';

/** Where a copy is delivered from, and the head of a redirect to it. */
export interface WarmAnswer {
  readonly location: string;
  readonly headers: Readonly<Record<string, string>>;
}

type DeliveryUrl = (copy: StoredCopy, options: { transformation?: string; format?: string }) => string;

/**
 * Clients choose transformations, of 8 kB each where they like: of all copies together so many are remembered, in so
 * many characters.
 */
const chosenFormsRemembered = 10_000;
const chosenCharactersRemembered = 16 << 20;

interface Known {
  readonly mapping: Exchange['mapping'];
  readonly answer: WarmAnswer;
}

/**
 * Remembers the answer of each copy for as long as its record is remembered, so that a warm hit builds nothing anew.
 * A record that changes brings a new copy; a mapping that changes is another object too.
 */
export class WarmAnswers {
  readonly #deliveryUrl: DeliveryUrl;
  /** In the form that the mapping gives its copies. */
  readonly #plain = new WeakMap<StoredCopy, Known>();
  /** By the asset's key and what the client chose; the key's parts and transformations hold no spaces. */
  readonly #chosen = new LRUCache<string, Known & { readonly copy: StoredCopy }>({
    max: chosenFormsRemembered,
    maxSize: chosenCharactersRemembered,
    sizeCalculation: ({ answer }, key) => key.length + answer.location.length,
  });

  constructor(deliveryUrl: DeliveryUrl) {
    this.#deliveryUrl = deliveryUrl;
  }

  of(copy: StoredCopy, exchange: Exchange): WarmAnswer {
    const { mapping, id, transformation, format } = exchange;
    if (format === undefined && transformation === (mapping.transformation ?? '')) {
      const known = this.#plain.get(copy);
      if (known?.mapping === mapping) return known.answer;
      const answer = this.#answer(copy, exchange);
      this.#plain.set(copy, { mapping, answer });
      return answer;
    }
    const key = `${id} ${transformation} ${format ?? ''}`;
    const known = this.#chosen.get(key);
    if (known?.mapping === mapping && known.copy === copy) return known.answer;
    const answer = this.#answer(copy, exchange);
    this.#chosen.set(key, { mapping, copy, answer });
    return answer;
  }

  #answer(copy: StoredCopy, { mapping, id, transformation, format }: Exchange): WarmAnswer {
    const location = this.#deliveryUrl(copy, {
      ...(transformation === '' ? {} : { transformation }),
      ...(format === undefined ? {} : { format }),
    });
    const headers = {
      ...publicHeaders,
      ...cacheTags(mapping, id),
      'cache-control': mapping.cache.warm,
      'cache-status': cacheStatus(),
      'content-length': '0',
      location,
    };
    return { location, headers };
  }
}

/** Sends the client to the versioned delivery URL of the stored copy. The fastest answer there is: no await. */
export function redirectToStore({ response, mapping, requestId }: Exchange, answer: WarmAnswer): void {
  response.writeHead(mapping.redirectStatus, { ...answer.headers, 'x-request-id': requestId });
  response.end();
}
