export { hedgingInterceptor } from "./hedging-interceptor.js";
export type { RepeatCollaborators } from "./repeat-env.js";
export type { RetryLogger } from "./repeat-log.js";
export type { HedgingInterceptorOptions, RetryInterceptorOptions } from "./repeat-options.js";
export { retryInterceptor } from "./retry-interceptor.js";
export { retryThrottle } from "./retry-throttle.js";
