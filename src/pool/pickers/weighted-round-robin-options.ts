import { z } from "zod";
import { durationMs, positiveMs } from "../../core/index.js";

const METRIC_NAME =
  /^(?:cpu_utilization|mem_utilization|application_utilization|(?:named_metrics|utilization)\..+)$/s;

/**
 * gRPC's weighted_round_robin (gRFC A58), also with weights of `updateEndpoints`. All keys but `source` are about load
 * reports, and refused without them.
 */
export const weightedRoundRobinOptionsSchema = z.strictObject({
  /**
   * Where weights come from: "endpoints", what `updateEndpoints` gave each endpoint (1 without), or
   * "load_reports", what the servers report of themselves. Default "endpoints".
   */
  source: z.enum(["endpoints", "load_reports"]).default("endpoints"),
  /** How long an endpoint's reports come in before they are used, in ms; 0 uses the first. Default 10,000. */
  blackoutMs: durationMs().default(10_000),
  /** How long a weight holds after the last report, in ms; 1 or more. Default 180,000. */
  weightExpirationMs: positiveMs().default(180_000),
  /** Time between two looks at the weights, in ms; 100 or more. Default 1,000. */
  weightUpdateMs: durationMs().min(100).default(1_000),
  /** What errors cost: share of failed calls times this is added to the utilization; 0 or more. Default 1. */
  errorUtilizationPenalty: z.number().min(0).default(1),
  /** True for a stream of reports per endpoint, false for a report with each answer. Default false. */
  oobLoadReports: z.boolean().default(false),
  /** Time between two reports of a stream, in ms; 1 or more, servers have a minimum of their own. Default 10,000. */
  oobReportingPeriodMs: positiveMs().default(10_000),
  /**
   * Metrics of which the largest is the utilization (gRFC A114): `cpu_utilization`, `mem_utilization`,
   * `application_utilization`, `named_metrics.<key>` or `utilization.<key>`. Default none: `application_utilization`,
   * or `cpu_utilization` where that is not reported.
   */
  metricNames: z
    .array(
      z.string().regex(METRIC_NAME, {
        error:
          "cpu_utilization, mem_utilization, application_utilization, named_metrics.<key> or utilization.<key>",
      }),
    )
    .default([]),
});
export type WeightedRoundRobinOptions = z.input<typeof weightedRoundRobinOptionsSchema>;
export type ResolvedWeightedRoundRobinOptions = z.output<typeof weightedRoundRobinOptionsSchema>;

/** What was given about load reports where none are asked for. */
export function unusedReportOptions(given: Readonly<Record<string, unknown>>): [key: string, why: string][] {
  const { source = "endpoints", ...others } = given;
  if (source !== "endpoints") return [];
  const why = 'needs source: "load_reports" beside it; without, servers are not asked for their load';
  return Object.keys(others)
    .filter((key) => key in weightedRoundRobinOptionsSchema.shape && others[key] !== undefined)
    .map((key) => [key, why]);
}
