export { authInterceptor } from "./auth-interceptor.js";
export {
  type BreakerChange,
  type BreakerInterceptor,
  breakerInterceptor,
} from "./breaker-interceptor.js";
export type { ChanceCollaborators, InterceptorCollaborators } from "./collaborators.js";
export { compose } from "./compose.js";
export {
  type ConcurrencyLimitInterceptor,
  type ConcurrencyStats,
  concurrencyLimitInterceptor,
} from "./concurrency-limit-interceptor.js";
export { deadlineInterceptor } from "./deadline-interceptor.js";
export { hooksInterceptor } from "./hooks-interceptor.js";
export { type CallLogger, loggingInterceptor } from "./logging-interceptor.js";
export { type MetadataContext, type MetadataSource, metadataInterceptor } from "./metadata-interceptor.js";
export type {
  AuthContext,
  AuthOptions,
  BreakerInterceptorOptions,
  CallCounts,
  CallHooks,
  DeadlineOptions,
  FinishedCall,
  LoggingOptions,
  LogLevel,
  MetadataInterceptorOptions,
  StartedCall,
  Summary,
} from "./plain-options.js";
