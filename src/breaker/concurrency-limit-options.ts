import { z } from "zod";
import { positiveMs } from "../core/index.js";

const concurrencyLimitShape = {
  /** Calls that run at once; a stream counts until it ends. Default 100; 1 or more. */
  maxConcurrentCalls: z.int().min(1).default(100),
  /** Calls that wait, first come, first served; one more is refused at once. Default 100; 0 lets none wait. */
  maxQueuedCalls: z.int().min(0).default(100),
  /** Longest wait of one call, in milliseconds; null, the default, for its deadline alone. */
  queueTimeoutMs: positiveMs().nullable().default(null),
};

/** How many calls may run at once, and how many may wait for their turn. */
export const concurrencyLimitOptionsSchema: z.ZodObject<typeof concurrencyLimitShape, z.core.$strict> =
  z.strictObject(concurrencyLimitShape);
export type ConcurrencyLimitOptions = z.input<typeof concurrencyLimitOptionsSchema>;
export type ResolvedConcurrencyLimitOptions = z.output<typeof concurrencyLimitOptionsSchema>;
