import { z } from "zod";
import { exceeds, positiveMs } from "../core/index.js";
import { parseFailureCode } from "./status-code.js";

const backoffKind = () => z.enum(["exponential", "linear", "fixed", "immediate"]);
const backoffMultiplier = () => z.number().positive();
const backoffJitter = () => z.enum(["spread20", "full", "additive10", "none"]);
const attempts = () => z.int().min(1);

/** Failure codes as numbers, or as names in any case; resolved to numbers, each once (gRFC A6, retryableStatusCodes). */
export const codeList = (minLength = 1) =>
  z
    .array(z.union([z.number(), z.string()]))
    .min(minLength)
    .transform((codes, context): readonly number[] => {
      const known = new Set<number>();
      for (const [index, code] of codes.entries()) {
        const parsed = parseFailureCode(code);
        if (typeof parsed === "number") known.add(parsed);
        // `continue` lets a union around the list report this problem under its own key.
        else
          context.addIssue({ code: "custom", path: [index], message: parsed, input: code, continue: true });
      }
      return [...known];
    });

const backoffShape = {
  /** How the wait grows: initialMs * multiplier^(n-1), initialMs * n, initialMs, or no wait. Default "exponential". */
  kind: backoffKind().default("exponential"),
  /** Wait before the first retry, in milliseconds. Default 100; at least 1. gRFC A6, initialBackoff. */
  initialMs: positiveMs().default(100),
  /** Growth per retry of the exponential kind. Default 2; above 0, and below 1 the wait shrinks. gRFC A6, backoffMultiplier. */
  multiplier: backoffMultiplier().default(2),
  /**
   * Longest wait before jitter, in milliseconds. Default 1,000; at least 1, and may be less than initialMs, which then
   * caps every retry but the first (R9). gRFC A6, maxBackoff.
   */
  maxMs: positiveMs().default(1_000),
  /**
   * What chance does to the capped wait: "spread20" takes 80 to 120 % of it (gRFC A6), "full" 0 to 100 %, "additive10"
   * adds up to 10 % but stays within maxMs, "none" nothing. Default "spread20".
   */
  jitter: backoffJitter().default("spread20"),
};
/** By name, so that declarations keep the comments of its keys. */
export interface BackoffSchema extends z.ZodObject<typeof backoffShape, z.core.$strict> {}

/** How long to wait before a retry (gRFC A6, backoff; R9). `Backoff` has the formulas. */
export const backoffOptionsSchema: BackoffSchema = z.strictObject(backoffShape);
export type BackoffOptions = z.input<typeof backoffOptionsSchema>;
export type ResolvedBackoffOptions = z.output<typeof backoffOptionsSchema>;

const throttleShape = {
  /** Tokens of a full bucket; retries stop at half of them. Default 20; 0.001 to 1,000, three decimals count. */
  maxTokens: z.number().min(0.001).max(1_000).default(20),
  /** Tokens each success gives back. Default 0.1; 0.001 or more, digits past the third decimal are dropped. */
  tokenRatio: z.number().min(0.001).default(0.1),
};
/** By name, so that declarations keep the comments of its keys. */
export interface ThrottleSchema extends z.ZodObject<typeof throttleShape, z.core.$strict> {}

/** The token bucket that pauses retries while failures dominate (gRFC A6, retryThrottling; R27-R29). */
export const throttleOptionsSchema: ThrottleSchema = z.strictObject(throttleShape);
export type ThrottleOptions = z.input<typeof throttleOptionsSchema>;
export type ResolvedThrottleOptions = z.output<typeof throttleOptionsSchema>;

const retryShape = {
  /** Attempts per call, the first included. Default 3; 1 to maxAttemptsLimit, 1 turns retries off. gRFC A6. */
  maxAttempts: attempts().default(3),
  /** What maxAttempts may at most be. Default 5; 1 to 20. gRFC A6 clamps silently, we refuse. */
  maxAttemptsLimit: z.int().min(1).max(20).default(5),
  /** How long to wait before a retry. Default: 100 ms doubling up to 1,000 ms, +-20 %. */
  backoff: backoffOptionsSchema.prefault({}),
  /**
   * Codes worth another attempt, as numbers or as names in any case. Default ["UNAVAILABLE"]; our own attempt
   * timeout on an idempotent method is always worth one. Never OK. gRFC A6, retryableStatusCodes.
   */
  retryableCodes: codeList().prefault(["UNAVAILABLE"]),
  /** The retry throttle all calls of a target share; false = none. Default: 20 tokens, 0.1 back per success. */
  throttle: z.union([z.literal(false), throttleOptionsSchema]).prefault({}),
  /** Bytes of one call kept for a retry; a larger call is sent once. Default 1,048,576; 0 keeps none (R15, R19). */
  perCallBufferBytes: z.int().min(0).default(1_048_576),
  /** Bytes all calls of a channel may keep for retries. Default 16,777,216; 0 keeps none (R19). */
  perChannelBufferBytes: z.int().min(0).default(16_777_216),
};
/** By name, so that declarations keep the comments of its keys. */
export interface RetrySchema extends z.ZodObject<typeof retryShape, z.core.$strict> {}

/** When a failed attempt is made again, and how often. */
export const retryOptionsSchema: RetrySchema = z.strictObject(retryShape).check(({ value, issues }) => {
  const { maxAttempts, maxAttemptsLimit } = value;
  if (!exceeds(maxAttempts, maxAttemptsLimit)) return;
  const message = `maxAttempts is ${maxAttempts}; allowed: 1 to maxAttemptsLimit (${maxAttemptsLimit})`;
  issues.push({ code: "custom", message, input: value });
});
export type RetryOptions = z.input<typeof retryOptionsSchema>;
export type ResolvedRetryOptions = z.output<typeof retryOptionsSchema>;

const backoffOverrideShape = {
  /** How the wait grows: "exponential", "linear", "fixed" or "immediate". */
  kind: backoffKind().optional(),
  /** Wait before the first retry, in milliseconds; at least 1. */
  initialMs: positiveMs().optional(),
  /** Growth per retry of the exponential kind; above 0. */
  multiplier: backoffMultiplier().optional(),
  /** Longest wait before jitter, in milliseconds; at least 1. */
  maxMs: positiveMs().optional(),
  /** What chance does to the capped wait: "spread20", "full", "additive10" or "none". */
  jitter: backoffJitter().optional(),
};
interface BackoffOverrideSchema extends z.ZodObject<typeof backoffOverrideShape, z.core.$strict> {}
const backoffOverrideSchema: BackoffOverrideSchema = z.strictObject(backoffOverrideShape);

const retryPartsShape = {
  /** Attempts of this call, the first included. 1 to 20; the channel's maxAttemptsLimit still holds. */
  maxAttempts: attempts().max(20).optional(),
  /** The parts of the backoff that differ. */
  backoff: backoffOverrideSchema.optional(),
  /** Replaces the method's list. Numbers, or names in any case; never OK. */
  retryableCodes: codeList().optional(),
};
/** By name, so that declarations keep the comments of its keys. */
export interface RetryPartsSchema extends z.ZodObject<typeof retryPartsShape, z.core.$strict> {}
const retryPartsSchema: RetryPartsSchema = z.strictObject(retryPartsShape);

/**
 * What one call changes of its method's retry options; false turns its retries off. There are no defaults: what is
 * absent or undefined stays as the method has it, inside `backoff` too.
 */
export const retryOverrideSchema = z.union([z.literal(false), retryPartsSchema]);
export type RetryOverride = z.input<typeof retryOverrideSchema>;
export type ResolvedRetryOverride = z.output<typeof retryOverrideSchema>;
