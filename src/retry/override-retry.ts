import type { ResolvedRetryOptions, ResolvedRetryOverride } from "./retry-options.js";

/** The options of retry that a method or a call may change, and their limit. */
export type RetryRules = Pick<
  ResolvedRetryOptions,
  "maxAttempts" | "maxAttemptsLimit" | "backoff" | "retryableCodes"
>;

/** The options with what a method or a call changes of them. */
export function overrideRetry<R extends RetryRules>(base: R, override: ResolvedRetryOverride | undefined): R {
  if (override === undefined) return base;
  if (override === false) return { ...base, maxAttempts: 1 };
  const changes = Object.entries(override.backoff ?? {}).filter(([, value]) => value !== undefined);
  return {
    ...base,
    // A method that asks for more is refused at the door; a call, which may be of any method, is not.
    maxAttempts: Math.min(override.maxAttempts ?? base.maxAttempts, base.maxAttemptsLimit),
    backoff: { ...base.backoff, ...Object.fromEntries(changes) },
    retryableCodes: override.retryableCodes ?? base.retryableCodes,
  };
}
