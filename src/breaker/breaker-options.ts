import { z } from "zod";
import { exceeds, positiveMs } from "../core/index.js";

/** When a breaker takes an endpoint out of use, and how it lets it back in. One breaker per endpoint. */
export const breakerOptionsSchema = z
  .strictObject({
    /** Infrastructure failures in a row that open the breaker. Default 5; 1 or more. */
    consecutiveFailures: z.int().min(1).default(5),
    /** First time open before a probe is let through, in milliseconds; doubles with every failed probe. Default 5,000. */
    openMs: positiveMs().default(5_000),
    /** Longest time open, in milliseconds, before the +-20 % of chance. Default 60,000; openMs or more. */
    maxOpenMs: positiveMs().default(60_000),
    /** Calls let through at once to try an endpoint again. Default 1; 1 to 100. */
    probes: z.int().min(1).max(100).default(1),
  })
  .check(({ value, issues }) => {
    const { openMs, maxOpenMs } = value;
    if (!exceeds(openMs, maxOpenMs)) return;
    const message = `openMs is ${openMs}; allowed: 1 to maxOpenMs (${maxOpenMs})`;
    issues.push({ code: "custom", message, input: value });
  });
export type BreakerOptions = z.input<typeof breakerOptionsSchema>;
export type ResolvedBreakerOptions = z.output<typeof breakerOptionsSchema>;

/**
 * Share of a target's endpoints that breakers and outlier ejection together may take out of use, in percent. Default
 * 50; 0 to 100; 0 lets none be taken out. Anything above 0 allows at least one (gRFC A50, max_ejection_percent).
 */
export const maxEjectionPercentSchema = z.number().min(0).max(100).default(50);
