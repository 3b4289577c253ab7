import type { StoredCopy } from '../asset/record.ts';
import { cacheStatus, cacheTags, publicHeaders } from './answer-headers.ts';
import type { Exchange } from './exchange.ts';

/** Where a copy is delivered from, and the head of a redirect to it. */
export interface WarmAnswer {
  readonly location: string;
  readonly headers: Readonly<Record<string, string>>;
}

type DeliveryUrl = (copy: StoredCopy, options: { transformation?: string; format?: string }) => string;

/** Clients choose transformations; only a few of each copy are worth the memory. */
const formsRemembered = 16;

/**
 * Remembers the answer of each copy for as long as its record is remembered, so that a warm hit builds nothing anew.
 * A record that changes brings a new copy; a mapping that changes is another object too.
 */
export class WarmAnswers {
  readonly #deliveryUrl: DeliveryUrl;
  readonly #known = new WeakMap<
    StoredCopy,
    { readonly mapping: Exchange['mapping']; readonly byForm: Map<string, WarmAnswer> }
  >();

  constructor(deliveryUrl: DeliveryUrl) {
    this.#deliveryUrl = deliveryUrl;
  }

  of(copy: StoredCopy, { mapping, id, transformation, format }: Exchange): WarmAnswer {
    let known = this.#known.get(copy);
    if (known?.mapping !== mapping) {
      known = { mapping, byForm: new Map() };
      this.#known.set(copy, known);
    }
    const form = format === undefined ? transformation : `${transformation} ${format}`;
    let answer = known.byForm.get(form);
    if (answer === undefined) {
      const location = this.#deliveryUrl(copy, {
        ...(transformation === '' ? {} : { transformation }),
        ...(format === undefined ? {} : { format }),
      });
      answer = {
        location,
        headers: {
          ...publicHeaders,
          ...cacheTags(mapping, id),
          'cache-control': mapping.cache.warm,
          'cache-status': cacheStatus(),
          'content-length': '0',
          location,
        },
      };
      if (known.byForm.size < formsRemembered) known.byForm.set(form, answer);
    }
    return answer;
  }
}

/** Sends the client to the versioned delivery URL of the stored copy. The fastest answer there is: no await. */
export function redirectToStore({ response, mapping, requestId }: Exchange, answer: WarmAnswer): void {
  response.writeHead(mapping.redirectStatus, { ...answer.headers, 'x-request-id': requestId });
  response.end();
}
