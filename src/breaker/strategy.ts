/** Says whether to open, told of every success and failure of a closed breaker. */
export interface BreakerStrategy {
  success(): void;
  /** Counts a failure. @returns true when the breaker should open. */
  failure(): boolean;
}
