import type { Mapping } from '../config/schema.ts';

/** How long bytes are sent after the store could not load a mapping's URLs, before the cheap way is tried again. */
const bytesForMs = 10 * 60_000;

/**
 * Chooses who reads the origin for an upload. With `via: auto` that is the store, by the remote URL, until it cannot
 * load one that we can; then it is us for a while. Remembered per mapping: it is the origin that lets the store in or not.
 */
export class SourceChoice {
  readonly #now: () => number;
  readonly #bytesUntil = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** `first` is tried first; with `fallback`, bytes are sent where the store cannot load the URL. */
  choose(mapping: Mapping): { readonly first: 'remote-url' | 'bytes'; readonly fallback: boolean } {
    // The store is never given the mapping's credentials, so it could not load these.
    const ours = mapping.auth !== null || !/^https?:/.test(mapping.origin);
    if (mapping.upload.via === 'bytes' || (mapping.upload.via === 'auto' && ours))
      return { first: 'bytes', fallback: false };
    if (mapping.upload.via === 'remote-url') return { first: 'remote-url', fallback: false };
    const spared = (this.#bytesUntil.get(mapping.prefix) ?? 0) > this.#now();
    return spared ? { first: 'bytes', fallback: false } : { first: 'remote-url', fallback: true };
  }

  /** The store could not load a URL of this mapping that we then could. */
  remoteUrlFailed(mapping: Mapping): void {
    this.#bytesUntil.set(mapping.prefix, this.#now() + bytesForMs);
  }
}
