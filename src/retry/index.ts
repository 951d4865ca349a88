export { Backoff } from "./backoff.js";
export type { RetryDecision, RetryPolicy, RetryProgress } from "./decide.js";
export { decideRetry } from "./decide.js";
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
