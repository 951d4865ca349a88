export type { BreakerDeps } from "./breaker.js";
export { Breaker } from "./breaker.js";
export type { BreakerOptions, ResolvedBreakerOptions } from "./breaker-options.js";
export { breakerOptionsSchema, maxEjectionPercentSchema } from "./breaker-options.js";
export { type Admission, ConcurrencyLimit } from "./concurrency-limit.js";
export type {
  ConcurrencyLimitOptions,
  ResolvedConcurrencyLimitOptions,
} from "./concurrency-limit-options.js";
export { concurrencyLimitOptionsSchema } from "./concurrency-limit-options.js";
export { isInfrastructureFailure } from "./infrastructure.js";
export { PanicFloor } from "./panic-floor.js";
export type { BreakerStrategy } from "./strategy.js";
export { consecutiveStrategy } from "./strategy.js";
