export interface BreakerRules {
  /** Failures in a row that open it. */
  readonly threshold: number;
  /** How long it stays open the first time; doubled each time the probe fails. */
  readonly firstMs: number;
  readonly longestMs: number;
}

/** What a job tells of the other side; `fatal`: no further job can do better. `nothing`: it was not asked. */
export type Verdict = 'good' | 'bad' | 'fatal' | 'nothing';

/**
 * Stops asking somebody who only fails. Closed: jobs pass. Open: none does, for a while; then one at a time may try
 * (the probe), and its verdict closes or opens it again.
 *
 * Libraries judge calls by success and error alone; most jobs here end without having asked the other side at all, and
 * such a job must neither close the breaker nor use up the probe.
 */
export class CircuitBreaker {
  readonly #rules: BreakerRules;
  readonly #now: () => number;
  readonly #onChange: (open: boolean) => void;
  #failures = 0;
  /** Absent: closed. */
  #open: { readonly until: number; readonly waitMs: number } | undefined;
  #probing = false;

  /** @param now milliseconds, monotonic */
  constructor(rules: BreakerRules, now: () => number, onChange: (open: boolean) => void) {
    this.#rules = rules;
    this.#now = now;
    this.#onChange = onChange;
  }

  get open(): boolean {
    return this.#open !== undefined;
  }

  /** Asks to pass. Who passes must call `end`, once. */
  admit(): { end(verdict: Verdict): void } | undefined {
    if (this.#open === undefined) return { end: (verdict) => this.#count(verdict) };
    if (this.#probing || this.#now() < this.#open.until) return undefined;
    this.#probing = true;
    return { end: (verdict) => this.#judge(verdict) };
  }

  #count(verdict: Verdict): void {
    // What began before it opened says nothing new.
    if (this.#open !== undefined || verdict === 'nothing') return;
    this.#failures = verdict === 'good' ? 0 : this.#failures + 1;
    if (verdict !== 'fatal' && this.#failures < this.#rules.threshold) return;
    this.#openFor(this.#rules.firstMs);
    this.#onChange(true);
  }

  #judge(verdict: Verdict): void {
    this.#probing = false;
    if (verdict === 'nothing') return;
    if (verdict !== 'good') {
      this.#openFor(Math.min((this.#open?.waitMs ?? 0) * 2, this.#rules.longestMs));
      return;
    }
    this.#open = undefined;
    this.#failures = 0;
    this.#onChange(false);
  }

  #openFor(waitMs: number): void {
    this.#open = { until: this.#now() + waitMs, waitMs };
  }
}
