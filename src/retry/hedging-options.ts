import { z } from "zod";
import { durationMs } from "../core/index.js";
import { codeList } from "./retry-options.js";

const hedgingShape = {
  /** Attempts per call, the first included. Default 2; 2 to the channel's retry.maxAttemptsLimit. gRFC A6, maxAttempts. */
  maxAttempts: z.int().min(2).max(20).default(2),
  /**
   * Wait before each further attempt, in milliseconds; 0 starts all at once. "p95" waits as long as 95 % of the
   * method's last answers took. Default "p95". gRFC A6, hedgingDelay.
   */
  delayMs: z
    .union([durationMs(), z.literal("p95")], { error: 'allowed: 0 or more milliseconds, or "p95"' })
    .default("p95"),
  /** The wait under "p95" until 20 answers of the method are known, in milliseconds. Default 100. */
  initialDelayMs: durationMs().default(100),
  /**
   * Codes after which the other attempts go on, and the next one starts at once; any other failure ends the call.
   * Numbers, or names in any case; may be empty. Default ["UNAVAILABLE"]. gRFC A6, nonFatalStatusCodes.
   */
  nonFatalCodes: codeList(0).prefault(["UNAVAILABLE"]),
};
/** By name, so that declarations keep the comments of its keys. */
export interface HedgingSchema extends z.ZodObject<typeof hedgingShape, z.core.$strict> {}

/**
 * When further attempts are started before the first has failed (gRFC A6, hedgingPolicy). Hedging replaces retry for
 * the methods it applies to, and applies to methods declared idempotent only: all attempts may run.
 */
export const hedgingOptionsSchema: HedgingSchema = z.strictObject(hedgingShape);
export type HedgingOptions = z.input<typeof hedgingOptionsSchema>;
export type ResolvedHedgingOptions = z.output<typeof hedgingOptionsSchema>;

/** What a method or a call says of hedging: options of its own, all of them, or false for none. */
export const hedgingOverrideSchema = z.union([z.literal(false), hedgingOptionsSchema]);
export type ResolvedHedgingOverride = z.output<typeof hedgingOverrideSchema>;
