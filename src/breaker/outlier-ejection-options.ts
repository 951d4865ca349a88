import { z } from "zod";
import { durationMs, positiveMs } from "../core/index.js";

/** A number of hosts or calls; gRFC A50 has 32 bits for it. */
const count = () => z.int().min(0).max(4_294_967_295);
const percent = () => z.int().min(0).max(100);

const successRateShape = {
  /** How many standard deviations below the mean, in thousandths. Default 1,900; 0 or more. */
  stdevFactor: count().default(1_900),
  /** Chance that such an endpoint is indeed ejected, in percent. Default 100; 0 to 100. */
  enforcementPercent: percent().default(100),
  /** Endpoints with enough calls below which none is ejected. Default 5; 0 or more. */
  minimumHosts: count().default(5),
  /** Calls that an endpoint must have ended in one interval to be looked at. Default 100; 0 or more. */
  requestVolume: count().default(100),
};
interface SuccessRateSchema extends z.ZodObject<typeof successRateShape, z.core.$strict> {}
const successRateSchema: SuccessRateSchema = z.strictObject(successRateShape);

const failurePercentageShape = {
  /** The limit, in percent; more than that ejects. Default 85; 0 to 100. */
  threshold: percent().default(85),
  /** Chance that such an endpoint is indeed ejected, in percent. Default 100; 0 to 100. */
  enforcementPercent: percent().default(100),
  /** Endpoints with enough calls below which none is ejected. Default 5; 0 or more. */
  minimumHosts: count().default(5),
  /** Calls that an endpoint must have ended in one interval to be looked at. Default 50; 0 or more. */
  requestVolume: count().default(50),
};
interface FailurePercentageSchema extends z.ZodObject<typeof failurePercentageShape, z.core.$strict> {}
const failurePercentageSchema: FailurePercentageSchema = z.strictObject(failurePercentageShape);

const outlierEjectionShape = {
  /** Time between two looks at the endpoints, in milliseconds. Default 10,000; 1 or more. */
  intervalMs: positiveMs().default(10_000),
  /** First time out of use, in milliseconds; each further one is as much longer. Default 30,000; 0 or more. */
  baseEjectionMs: durationMs().default(30_000),
  /** Longest time out of use, in milliseconds; a longer baseEjectionMs stands instead. Default 300,000; 0 or more. */
  maxEjectionMs: durationMs().default(300_000),
  /** Ejects endpoints whose share of successes is far below the mean of all. Default none. */
  successRate: successRateSchema.optional(),
  /** Ejects endpoints whose share of failures is above a limit. Default none. */
  failurePercentage: failurePercentageSchema.optional(),
};
/** By name, so that declarations keep the comments of its keys. */
export interface OutlierEjectionSchema extends z.ZodObject<typeof outlierEjectionShape, z.core.$strict> {}

/**
 * Takes endpoints out of use that fail more than the others (gRFC A50). Each algorithm runs only if its object is
 * present, and `{}` enables it with its defaults; a channel takes one at least. How many may be out at once is the
 * channel's `maxEjectionPercent`.
 */
export const outlierEjectionOptionsSchema: OutlierEjectionSchema = z.strictObject(outlierEjectionShape);
export type OutlierEjectionOptions = z.input<typeof outlierEjectionOptionsSchema>;
export type ResolvedOutlierEjectionOptions = z.output<typeof outlierEjectionOptionsSchema>;
