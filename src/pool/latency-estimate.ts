/** Time after which an old value has lost 63 % of its weight, in ms (R137). */
const TAU_MS = 10_000;

/**
 * Peak-sensitive latency of an endpoint (Finagle's peak EWMA, R137): a slower attempt counts at once, a faster one
 * wins the value over with time, and the value fades while no attempt is made, so that nobody is avoided for ever.
 */
export class LatencyEstimate {
  /** Negative before the first attempt. */
  #ms = -1;
  #at = 0;

  /** The value now in ms; -1 before the first attempt. */
  read(now: number): number {
    return this.#ms < 0 ? -1 : this.#ms * Math.exp(-Math.max(0, now - this.#at) / TAU_MS);
  }

  record(ms: number, now: number): void {
    if (this.#ms < 0 || ms >= this.#ms) this.#ms = ms;
    else {
      const share = Math.exp(-Math.max(0, now - this.#at) / TAU_MS);
      this.#ms = this.#ms * share + ms * (1 - share);
    }
    this.#at = now;
  }

  /** An attempt that was given up took at least this long (R41). */
  recordAtLeast(ms: number, now: number): void {
    if (ms > this.read(now)) this.record(ms, now);
  }
}
