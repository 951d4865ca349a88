export type { BreakerDeps, BreakerSettings } from "./breaker.js";
export { Breaker } from "./breaker.js";
export type { BreakerOptions, BreakerRule, ResolvedBreakerOptions } from "./breaker-options.js";
export { breakerOptionsSchema, breakerRuleSchema, maxEjectionPercentSchema } from "./breaker-options.js";
export { type Admission, ConcurrencyLimit } from "./concurrency-limit.js";
export type {
  ConcurrencyLimitOptions,
  ResolvedConcurrencyLimitOptions,
} from "./concurrency-limit-options.js";
export { concurrencyLimitOptionsSchema } from "./concurrency-limit-options.js";
export { isInfrastructureFailure } from "./infrastructure.js";
export type { Ejection, OutlierDetectionDeps, SparedOutlier } from "./outlier-detection.js";
export { OutlierDetection } from "./outlier-detection.js";
export type { OutlierEjectionOptions, ResolvedOutlierEjectionOptions } from "./outlier-ejection-options.js";
export { outlierEjectionOptionsSchema } from "./outlier-ejection-options.js";
export { OutlierTally } from "./outlier-tally.js";
export { PanicFloor } from "./panic-floor.js";
