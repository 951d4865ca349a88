import { z } from "zod";
import { isObject } from "../core/index.js";
import type { HedgingOptions } from "../retry/hedging-options.js";
import { codeList, type RetryOverride, throttleOptionsSchema } from "../retry/retry-options.js";
import { jsonDuration, positiveJsonDuration, wholeNumber } from "./service-config-values.js";

/** What a `retryPolicy` says, in the words of our options. */
export type ImportedRetry = Exclude<RetryOverride, false> & { readonly maxAttempts: number };
/** What a `hedgingPolicy` says, in the words of our options. */
export type ImportedHedging = HedgingOptions & { readonly maxAttempts: number };

/** 1 is no legal gRPC JSON, which wants 2 or more, yet everybody who writes it means: off. */
const attempts = () => wholeNumber().min(1);
const backoff = () => positiveJsonDuration("a retry without a wait would be a storm");
const REQUIRED = ["initialBackoff", "maxBackoff", "backoffMultiplier", "retryableStatusCodes"] as const;

/** gRPC's `retryPolicy` (gRFC A6; R2-R5), resolved to our options; undefined where its maxAttempts is 1. */
export const retryPolicySchema = z
  .object({
    maxAttempts: attempts(),
    initialBackoff: backoff().nullish(),
    maxBackoff: backoff().nullish(),
    backoffMultiplier: z.number().positive().nullish(),
    retryableStatusCodes: codeList().nullish(),
  })
  .check(
    z.superRefine<Partial<Record<(typeof REQUIRED)[number] | "maxAttempts", unknown>>>(
      (policy, context) => {
        if (policy.maxAttempts === 1) return;
        for (const key of REQUIRED.filter((key) => policy[key] === undefined || policy[key] === null)) {
          context.addIssue({ code: "custom", path: [key], message: "missing; retryPolicy needs it" });
        }
      },
      { when: isObject },
    ),
  )
  .transform((policy): ImportedRetry | undefined => {
    const { maxAttempts, initialBackoff, maxBackoff, backoffMultiplier, retryableStatusCodes } = policy;
    if (maxAttempts === 1) return undefined;
    return {
      maxAttempts,
      // All of it, so that nothing of a retry policy elsewhere shows through.
      backoff: {
        kind: "exponential",
        initialMs: initialBackoff!,
        multiplier: backoffMultiplier!,
        maxMs: maxBackoff!,
        jitter: "spread20",
      },
      retryableCodes: [...retryableStatusCodes!],
    };
  });

/** gRPC's `hedgingPolicy` (gRFC A6; R6), resolved to our options; undefined where its maxAttempts is 1. */
export const hedgingPolicySchema = z
  .object({
    maxAttempts: attempts(),
    hedgingDelay: jsonDuration().nullish(),
    nonFatalStatusCodes: codeList(0).nullish(),
  })
  .transform(({ maxAttempts, hedgingDelay, nonFatalStatusCodes }): ImportedHedging | undefined => {
    if (maxAttempts === 1) return undefined;
    return { maxAttempts, delayMs: hedgingDelay ?? 0, nonFatalCodes: [...(nonFatalStatusCodes ?? [])] };
  });

/** gRPC's `retryThrottling` (gRFC A6; R7). The bucket itself drops what is past the third decimal. */
export const retryThrottlingSchema = z.object({
  maxTokens: throttleOptionsSchema.shape.maxTokens.unwrap(),
  tokenRatio: throttleOptionsSchema.shape.tokenRatio.unwrap(),
});
