import { z } from "zod";
import { type Endpoint, isObject, positiveMs } from "../core/index.js";

/** Endpoints are looked at about once a second, so a shorter interval could not be kept. */
const MIN_INTERVAL_MS = 1_000;

/**
 * A health check of the user's own: true for an endpoint that may be used. Anything else, an error and an answer that
 * is late mean that it may not.
 *
 * @param signal aborted when the answer is no longer awaited
 */
export type HealthProbe = (endpoint: Endpoint, signal: AbortSignal) => boolean | Promise<boolean>;

const healthProbeSchema = z.custom<HealthProbe>((value) => typeof value === "function", {
  abort: false,
  message: "allowed: a function",
});

const healthDataShape = {
  /** The service whose health decides; "" for the server as a whole. gRFC A17, healthCheckConfig.serviceName. */
  serviceName: z.string(),
  /** Time from one Check or probe of an endpoint to the next, in ms. 1,000 or more, default 10,000. */
  intervalMs: positiveMs().min(MIN_INTERVAL_MS).default(10_000),
  /** How long one Check or probe may take, in ms; a later answer counts as not serving. Default 1,000. */
  timeoutMs: positiveMs().default(1_000),
  /** False asks with Checks in intervals instead of one Watch for each endpoint. Default true. */
  useWatch: z.boolean().default(true),
};
/** By name, so that declarations keep the comments of its keys. */
export interface HealthDataSchema extends z.ZodObject<typeof healthDataShape, z.core.$strict> {}

/** The options of health checking that can stand in a file. */
export const healthDataSchema: HealthDataSchema = z.strictObject(healthDataShape);

/** Who is asked is said once. */
const oneSource = z.superRefine<object>(
  (options, context) => {
    const { serviceName, probe } = options as { serviceName?: unknown; probe?: unknown };
    const problem = (message: string) => context.addIssue({ code: "custom", path: ["serviceName"], message });
    if (serviceName === undefined && probe === undefined) {
      problem('is missing; allowed: a name, "" for the server as a whole, or a probe in its place');
    }
    if (serviceName !== undefined && probe !== undefined) problem("stands beside probe; give one of them");
  },
  { when: isObject },
);

const healthShape = {
  /** The service whose health decides; "" for the server as a whole. Either this or `probe`. gRFC A17, healthCheckConfig.serviceName. */
  serviceName: healthDataSchema.shape.serviceName.optional(),
  /** Asked in intervals instead of the server's health service; see `HealthProbe`. */
  probe: healthProbeSchema.optional(),
};
/** By name, so that declarations keep the comments of its keys. */
export interface HealthSchema
  extends z.ZodObject<Omit<typeof healthDataShape, "serviceName"> & typeof healthShape, z.core.$strict> {}

/** Client-side health checking (gRFC A17); off where the channel has no `health`. */
export const healthOptionsSchema: HealthSchema = healthDataSchema.extend(healthShape).check(oneSource);

export type HealthOptions = z.input<typeof healthOptionsSchema>;
export type ResolvedHealthOptions = z.output<typeof healthOptionsSchema>;
