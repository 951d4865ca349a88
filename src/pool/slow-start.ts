import type { Clock, Random } from "../core/index.js";
import type { PickFilter } from "./pickers/index.js";
import type { Subchannel } from "./subchannel.js";

/** The least share of its calls that a new endpoint gets (Envoy's `min_weight_percent`). */
const LEAST_SHARE = 0.1;

/**
 * Gives an endpoint that has just become READY its share of the calls little by little, over `windowMs`: until then
 * a choice of it is turned down by chance, and the policy goes on to the next.
 */
export class SlowStart implements PickFilter<Subchannel> {
  /** Monotonic ms at which the youngest endpoint has its full share. */
  #until = 0;
  #inner: PickFilter<Subchannel>;

  constructor(
    private readonly windowMs: number,
    private readonly clock: Clock,
    private readonly random: Random,
    inner: PickFilter<Subchannel>,
  ) {
    this.#inner = inner;
  }

  get isActive(): boolean {
    return this.#until > 0 && this.clock.now() < this.#until;
  }

  /** The endpoints that are picked from. */
  watch(candidates: readonly Subchannel[]): void {
    this.#until = 0;
    if (this.windowMs === 0) return;
    for (const { readySince } of candidates) {
      if (readySince > 0) this.#until = Math.max(this.#until, readySince + this.windowMs);
    }
  }

  /** The same choice, eased. */
  within(filter: PickFilter<Subchannel>): this {
    this.#inner = filter;
    return this;
  }

  accepts(candidate: Subchannel): boolean {
    const share = (this.clock.now() - candidate.readySince) / this.windowMs;
    return (
      (share >= 1 || this.random.next() < Math.max(LEAST_SHARE, share)) && this.#inner.accepts(candidate)
    );
  }
}
