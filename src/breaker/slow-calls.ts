import type { BreakerRule } from "./breaker-options.js";
import { reaching } from "./threshold.js";

/** The share of slow answers among the last ones. Telling it of an answer allocates nothing. */
export class SlowCalls {
  readonly #slowerThanMs: number;
  readonly #threshold: number;
  readonly #minimumCalls: number;
  /** A ring: 1 where the answer was slow. */
  readonly #isSlow: Uint8Array;
  #next = 0;
  #calls = 0;
  #slow = 0;

  constructor({ slowerThanMs, threshold, minimumCalls, size }: NonNullable<BreakerRule["slowCalls"]>) {
    this.#slowerThanMs = slowerThanMs;
    this.#threshold = reaching(threshold);
    this.#minimumCalls = minimumCalls ?? size;
    this.#isSlow = new Uint8Array(size);
  }

  /** @returns true when the answer was slow, and enough of the last ones were for the breaker to open. */
  record(ms: number): boolean {
    const isSlow = ms > this.#slowerThanMs ? 1 : 0;
    const at = this.#next;
    this.#slow += isSlow - (this.#isSlow[at] ?? 0);
    this.#isSlow[at] = isSlow;
    this.#next = at + 1 === this.#isSlow.length ? 0 : at + 1;
    if (this.#calls < this.#isSlow.length) this.#calls += 1;
    return isSlow === 1 && this.#calls >= this.#minimumCalls && this.#slow > this.#threshold * this.#calls;
  }
}
