import { z } from "zod";
import { exceeds, positiveMs } from "../core/index.js";

/** Share of the calls from which on the breaker opens. */
const threshold = () => z.number().gt(0).max(1).default(0.5);
/** Calls that are remembered; each costs up to 8 bytes per breaker that was used. */
const size = () => z.int().min(1).max(10_000).default(100);
const minimumCalls = () => z.int().min(1).nullable().default(null);

interface Window {
  readonly size: number;
  readonly minimumCalls: number | null;
}

function checkWindow({ value, issues }: z.core.ParsePayload<Window>): void {
  if (!exceeds(value.minimumCalls, value.size)) return;
  const message = `minimumCalls is ${value.minimumCalls}; allowed: 1 to size (${value.size})`;
  issues.push({ code: "custom", message, input: value });
}

const countShape = {
  /** How many of the last calls are looked at. Default 100; 1 to 10,000. */
  size: size(),
  /** Share of failures among them that opens the breaker. Default 0.5; above 0, up to 1. */
  threshold: threshold(),
  /** Calls before which it stays closed. Default null, for `size`; 1 to `size`. */
  minimumCalls: minimumCalls(),
};
interface CountSchema extends z.ZodObject<typeof countShape, z.core.$strict> {}

/** Opens on the share of failures among the last calls, however long ago they were. */
const countSchema: CountSchema = z.strictObject(countShape).check(checkWindow);

const samplingShape = {
  /** How far back calls are looked at, in milliseconds. Default 10,000; 1,000 to 600,000. */
  durationMs: z.number().min(1_000).max(600_000).default(10_000),
  /** Share of failures among them that opens the breaker. Default 0.5; above 0, up to 1. */
  threshold: threshold(),
  /** Calls per second, over that time, below which it stays closed. Default 1; above 0. */
  minimumRps: z.number().gt(0).default(1),
};
interface SamplingSchema extends z.ZodObject<typeof samplingShape, z.core.$strict> {}

/** Opens on the share of failures within a time. */
const samplingSchema: SamplingSchema = z.strictObject(samplingShape);

const slowCallsShape = {
  /** Answers that took longer are slow, in milliseconds. No default; 1 or more. */
  slowerThanMs: positiveMs(),
  /** Share of slow answers among the last ones that opens the breaker. Default 0.5; above 0, up to 1. */
  threshold: threshold(),
  /** Answers before which it stays closed. Default null, for `size`; 1 to `size`. */
  minimumCalls: minimumCalls(),
  /** How many of the last answers are looked at. Default 100; 1 to 10,000. */
  size: size(),
};
interface SlowCallsSchema extends z.ZodObject<typeof slowCallsShape, z.core.$strict> {}

/** Opens on answers that come too late, beside the rule for failures. */
const slowCallsSchema: SlowCallsSchema = z.strictObject(slowCallsShape).check(checkWindow);

/** What a rule consists of. */
export const breakerRuleShape = {
  /**
   * Infrastructure failures in a row that open the breaker. Default 5, unless `count` or `sampling` is given; 1 or
   * more.
   */
  consecutiveFailures: z.int().min(1).optional(),
  /** Opens on the share of failures among the last calls, in place of failures in a row. Default none. */
  count: countSchema.optional(),
  /** Opens on the share of failures within a time, in place of failures in a row. Default none. */
  sampling: samplingSchema.optional(),
  /** Opens on slow answers as well. Default none: no answer is too slow. */
  slowCalls: slowCallsSchema.optional(),
  /** First time open before a probe is let through, in milliseconds; doubles with every failed probe. Default 5,000. */
  openMs: positiveMs().default(5_000),
  /** Longest time open, in milliseconds, before the +-20 % of chance. Default 60,000; openMs or more. */
  maxOpenMs: positiveMs().default(60_000),
  /** Calls let through at once to try an endpoint again. Default 1; 1 to 100. */
  probes: z.int().min(1).max(100).default(1),
};
/** By name, so that declarations keep the comments of its keys. */
export interface BreakerRuleSchema extends z.ZodObject<typeof breakerRuleShape, z.core.$strict> {}

/** When a breaker opens, and how it closes again, wherever it stands. */
export const breakerRuleSchema: BreakerRuleSchema = z
  .strictObject(breakerRuleShape)
  .check(({ value, issues }) => {
    const { openMs, maxOpenMs } = value;
    if (exceeds(openMs, maxOpenMs)) {
      const message = `openMs is ${openMs}; allowed: 1 to maxOpenMs (${maxOpenMs})`;
      issues.push({ code: "custom", message, input: value });
    }
    const [first, ...others] = kindsOf(value);
    if (others.length > 0) {
      const message = `${first} is given beside ${others.join(" and ")}; allowed: one of ${KINDS.join(", ")}`;
      issues.push({ code: "custom", message, input: value });
    }
  })
  // Not by `.default(5)`: it would stand beside a `count` that a user gives.
  .overwrite((value) => (kindsOf(value).length > 0 ? value : { ...value, consecutiveFailures: 5 }));
export type BreakerRule = z.output<typeof breakerRuleSchema>;

const KINDS = ["consecutiveFailures", "count", "sampling"] as const;

function kindsOf(rule: Partial<Record<(typeof KINDS)[number], unknown>>): string[] {
  return KINDS.filter((kind) => rule[kind] !== undefined);
}

const breakerShape = {
  /**
   * One breaker for each endpoint, or beside it one for each method that is called there: then a method that fails is
   * kept from the endpoint, while the others go on. Default "endpoint".
   */
  scope: z.enum(["endpoint", "method"]).default("endpoint"),
  /**
   * Who tries an endpoint again. "calls": up to `probes` calls of users. "health": its health check alone, so that no
   * user meets a server that is still down; needs `health`. Default "calls".
   */
  probedBy: z.enum(["calls", "health"]).default("calls"),
};
/** By name, so that declarations keep the comments of its keys. */
export interface BreakerSchema
  extends z.ZodObject<typeof breakerRuleShape & typeof breakerShape, z.core.$strict> {}

/** When a breaker takes an endpoint out of use, and how it lets it back in. */
export const breakerOptionsSchema: BreakerSchema = breakerRuleSchema.safeExtend(breakerShape);
export type BreakerOptions = z.input<typeof breakerOptionsSchema>;
export type ResolvedBreakerOptions = z.output<typeof breakerOptionsSchema>;

/**
 * Share of a target's endpoints that breakers and outlier ejection together may take out of use, in percent. Default
 * 50; 0 to 100; 0 lets none be taken out. Anything above 0 allows at least one (gRFC A50, max_ejection_percent).
 */
export const maxEjectionPercentSchema = z.number().min(0).max(100).default(50);
