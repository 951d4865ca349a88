/** How many of the last answers count. */
const WINDOW = 128;
/** Fewer say too little about the slowest of twenty. */
const ENOUGH = 20;
/** Sorting the window costs as much as a call; between two of them this many answers come. */
const STALE_AFTER = 16;

/** How long the last answers of one method took, for hedging by their 95th percentile. */
export class LatencyWindow {
  readonly #lastMs = new Float64Array(WINDOW);
  #count = 0;
  #p95Ms: number | null = null;
  #fresh = 0;

  /** Milliseconds that 95 % of the last answers took at most; null while too few are known. */
  get p95Ms(): number | null {
    if (this.#count < ENOUGH) return null;
    if (this.#p95Ms === null || this.#fresh >= STALE_AFTER) this.#sort();
    return this.#p95Ms;
  }

  /** An attempt was answered. */
  record(ms: number): void {
    this.#lastMs[this.#count % WINDOW] = ms;
    this.#count++;
    this.#fresh++;
  }

  /** An attempt was given up while it ran (R41): how long it took at least, which says something only if it was long. */
  recordAtLeast(ms: number): void {
    if (ms > (this.p95Ms ?? Number.POSITIVE_INFINITY)) this.record(ms);
  }

  #sort(): void {
    const sorted = this.#lastMs.slice(0, Math.min(this.#count, WINDOW)).sort();
    this.#p95Ms = sorted[Math.ceil(sorted.length * 0.95) - 1] as number;
    this.#fresh = 0;
  }
}
