import type { ServerResponse } from 'node:http';
import type { StoredCopy } from '../asset/record.ts';
import { cacheStatus, publicHeaders, warmCacheControl } from './answer-headers.ts';

const headers = {
  ...publicHeaders,
  'cache-control': warmCacheControl,
  'cache-status': cacheStatus(),
  'content-length': '0',
} as const;

/**
 * Sends the client to the versioned delivery URL of the stored copy. The fastest answer there is: no await, no
 * allocation that is not needed.
 */
export function redirectToStore(response: ServerResponse, status: number, location: string): void {
  response.writeHead(status, { ...headers, location });
  response.end();
}

type DeliveryUrl = (copy: StoredCopy, options: { transformation?: string; format?: string }) => string;

/** Remembers the location of each copy for as long as its record is remembered. */
export class Locations {
  readonly #deliveryUrl: DeliveryUrl;
  readonly #known = new WeakMap<StoredCopy, Map<string, string>>();

  constructor(deliveryUrl: DeliveryUrl) {
    this.#deliveryUrl = deliveryUrl;
  }

  /** Absolute URL; `transformation` empty for none. */
  of(copy: StoredCopy, transformation: string, format: string | undefined): string {
    const byForm = this.#known.get(copy) ?? new Map<string, string>();
    if (byForm.size === 0) this.#known.set(copy, byForm);
    const form = `${transformation} ${format ?? ''}`;
    let location = byForm.get(form);
    if (location === undefined) {
      location = this.#deliveryUrl(copy, {
        ...(transformation === '' ? {} : { transformation }),
        ...(format === undefined ? {} : { format }),
      });
      // Clients choose transformations; only a few of each copy are worth the memory.
      if (byForm.size < 16) byForm.set(form, location);
    }
    return location;
  }
}
