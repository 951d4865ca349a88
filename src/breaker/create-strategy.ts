import { CircuitState, ConsecutiveBreaker, CountBreaker, type IBreaker, SamplingBreaker } from "cockatiel";
import type { Clock } from "../core/index.js";
import type { BreakerRule } from "./breaker-options.js";
import { SamplingStrategy } from "./sampling-strategy.js";
import type { BreakerStrategy } from "./strategy.js";
import { reaching } from "./threshold.js";

/** The part of cockatiel that is used: versions 3 and 4 both have it. */
export interface Cockatiel {
  readonly ConsecutiveBreaker: new (threshold: number) => IBreaker;
  readonly CountBreaker: new (options: {
    threshold: number;
    size: number;
    minimumNumberOfCalls?: number;
  }) => IBreaker;
  readonly SamplingBreaker: new (options: {
    threshold: number;
    duration: number;
    minimumRps: number;
  }) => IBreaker;
}

/**
 * The strategy that a user's rule asks for. cockatiel's own state machine is not used (design decision 8).
 * `ConsecutiveBreaker` opens on the n-th failure, in 3.2.1 and 4.0.0 alike, though its comment says "more than".
 */
export function createStrategy(
  rule: Pick<BreakerRule, "consecutiveFailures" | "count" | "sampling">,
  clock: Clock,
  cockatiel: Cockatiel = { ConsecutiveBreaker, CountBreaker, SamplingBreaker },
): BreakerStrategy {
  const { consecutiveFailures, count, sampling } = rule;
  if (count !== undefined) {
    const { size, minimumCalls } = count;
    const threshold = reaching(count.threshold);
    return new CockatielStrategy(
      new cockatiel.CountBreaker({ threshold, size, minimumNumberOfCalls: minimumCalls ?? size }),
    );
  }
  if (sampling !== undefined) {
    const { durationMs, minimumRps } = sampling;
    const threshold = reaching(sampling.threshold);
    const begin = () =>
      new CockatielStrategy(new cockatiel.SamplingBreaker({ threshold, duration: durationMs, minimumRps }));
    return new SamplingStrategy(begin, durationMs, clock);
  }
  // Options that were parsed name one rule.
  return new CockatielStrategy(new cockatiel.ConsecutiveBreaker(consecutiveFailures ?? 1));
}

class CockatielStrategy implements BreakerStrategy {
  readonly #breaker: IBreaker;

  constructor(breaker: IBreaker) {
    this.#breaker = breaker;
  }

  // Our breaker asks its strategy only while it is closed, so that is the state cockatiel hears.
  success(): void {
    this.#breaker.success(CircuitState.Closed);
  }

  failure(): boolean {
    return this.#breaker.failure(CircuitState.Closed);
  }
}
