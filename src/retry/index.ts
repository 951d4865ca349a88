export { attemptLimitMs } from "./attempt-limit.js";
export { Backoff } from "./backoff.js";
export type { RetryDecision, RetryPolicy, RetryProgress } from "./decide.js";
export { decideRetry } from "./decide.js";
export type { HedgeDecision, HedgingPolicy, OtherAttempts } from "./hedging.js";
export { HedgePlan, lostTo } from "./hedging.js";
export type { HedgingOptions, ResolvedHedgingOptions, ResolvedHedgingOverride } from "./hedging-options.js";
export { hedgingOptionsSchema, hedgingOverrideSchema } from "./hedging-options.js";
export { LatencyWindow } from "./latency-window.js";
export { overrideRetry, type RetryRules } from "./override-retry.js";
export type { Pushback } from "./pushback.js";
export { PUSHBACK_KEY, parsePushback } from "./pushback.js";
export type {
  BackoffOptions,
  ResolvedBackoffOptions,
  ResolvedRetryOptions,
  ResolvedRetryOverride,
  ResolvedThrottleOptions,
  RetryOptions,
  RetryOverride,
  ThrottleOptions,
} from "./retry-options.js";
export {
  backoffOptionsSchema,
  retryOptionsSchema,
  retryOverrideSchema,
  throttleOptionsSchema,
} from "./retry-options.js";
export { RetryThrottle, ThrottleRegistry } from "./throttle.js";
