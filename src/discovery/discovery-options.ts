import { z } from "zod";
import { durationMs, positiveMs } from "../core/index.js";

const discoveryShape = {
  /**
   * Shortest time from an answer to the next lookup, in milliseconds, however often a refresh is asked for. After
   * an error the backoff sets the pace instead (1 s x 1.6, cap 30 s, +-20 %). Default 1,000; 0 means no pause.
   * grpc-js: `grpc.dns_min_time_between_resolutions_ms`, whose 30,000 keeps calls failing long after a move.
   */
  minIntervalMs: durationMs().default(1_000),
  /**
   * How long one lookup may take before it counts as failed, in milliseconds. Default 5,000, at least 1. An answer
   * that comes later is still taken. grpc-js has no such bound.
   */
  lookupTimeoutMs: positiveMs().default(5_000),
};
/** By name, so that declarations keep the comments of its keys. */
export interface DiscoverySchema extends z.ZodObject<typeof discoveryShape, z.core.$strict> {}

/** How resolvers pace themselves. */
export const discoveryOptionsSchema: DiscoverySchema = z.strictObject(discoveryShape);

export type DiscoveryOptions = z.input<typeof discoveryOptionsSchema>;
export type ResolvedDiscoveryOptions = z.output<typeof discoveryOptionsSchema>;
