import { CircuitState, ConsecutiveBreaker, type IBreaker } from "cockatiel";

/** Says whether to open, told of every success and failure of a closed breaker. */
export interface BreakerStrategy {
  success(): void;
  /** Counts a failure. @returns true when the breaker should open. */
  failure(): boolean;
}

/** The part of cockatiel that is used: version 3 and 4 both have it. */
export type ConsecutiveBreakerClass = new (threshold: number) => IBreaker;

/**
 * Opens on the n-th failure in a row: cockatiel compares `>=`, in 3.2.1 and 4.0.0 alike, though its comment says "more
 * than". cockatiel's own state machine is not used (design decision 8).
 * @param consecutiveFailures how many failures in a row; 1 or more.
 */
export function consecutiveStrategy(
  consecutiveFailures: number,
  breakerClass: ConsecutiveBreakerClass = ConsecutiveBreaker,
): BreakerStrategy {
  return new CockatielStrategy(new breakerClass(consecutiveFailures));
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
