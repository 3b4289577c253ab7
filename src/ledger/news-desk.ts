import type { LedgerNews } from './ledger.ts';

export type NewsListener = (news: LedgerNews) => void;

/** The listeners of one process. One that throws neither stops the others nor harms whoever brought the news. */
export class NewsDesk {
  readonly #listeners = new Set<NewsListener>();
  readonly #warn: (message: string) => void;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }

  /** The way to stop is good for this subscription alone, and may be called twice. */
  add(listener: NewsListener): () => void {
    const subscription: NewsListener = (news) => listener(news);
    this.#listeners.add(subscription);
    return () => this.#listeners.delete(subscription);
  }

  tell(news: LedgerNews): void {
    for (const listener of this.#listeners) {
      try {
        listener(news);
      } catch (error) {
        this.#warn(`a listener for ledger news failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}
