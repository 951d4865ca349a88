import type { Clock } from "../core/index.js";
import type { BreakerStrategy } from "./strategy.js";

/** Small steps back of the wall clock only lengthen a window of cockatiel's by as much. */
const MAX_STEP_BACK_MS = 1_000;

/**
 * What cockatiel's `SamplingBreaker` needs to keep to its time. It reads `Date` itself, and forgets one window, not all
 * that are over, with each call: after a quiet hour one failure would be added to those of an hour ago, and after the
 * wall clock was set back nothing would be forgotten until it has caught up. In both cases it begins anew.
 */
export class SamplingStrategy implements BreakerStrategy {
  readonly #begin: () => BreakerStrategy;
  readonly #durationMs: number;
  readonly #clock: Clock;
  #current: BreakerStrategy;
  /** On the wall clock, which is what cockatiel reads. */
  #lastAt: number;

  /** @param begin makes a strategy that remembers nothing */
  constructor(begin: () => BreakerStrategy, durationMs: number, clock: Clock) {
    this.#begin = begin;
    this.#durationMs = durationMs;
    this.#clock = clock;
    this.#current = begin();
    this.#lastAt = clock.epoch();
  }

  success(): void {
    this.#upToDate().success();
  }

  failure(): boolean {
    return this.#upToDate().failure();
  }

  #upToDate(): BreakerStrategy {
    const now = this.#clock.epoch();
    const sinceLastMs = now - this.#lastAt;
    this.#lastAt = now;
    if (sinceLastMs >= this.#durationMs || sinceLastMs < -MAX_STEP_BACK_MS) this.#current = this.#begin();
    return this.#current;
  }
}
