import { z } from "zod";
import { durationMs, positiveMs } from "../core/index.js";
import { consulOptionsSchema } from "./consul/consul-options.js";
import { etcdOptionsSchema } from "./etcd/etcd-options.js";

const discoveryShape = {
  /**
   * Shortest time between two questions to a source that answers, in milliseconds, however often a refresh is asked for.
   * After an error the backoff sets the pace instead (1 s x 1.6, cap 30 s, +-20 %). Default 1,000; 0 means no pause.
   * grpc-js: `grpc.dns_min_time_between_resolutions_ms`, whose 30,000 keeps calls failing long after a move.
   */
  minIntervalMs: durationMs().default(1_000),
  /**
   * How long one question may take before it counts as failed, in milliseconds; for Consul beyond the time that it is
   * told to wait. Default 5,000, at least 1. A DNS answer that comes later is still taken. grpc-js has no such bound.
   */
  lookupTimeoutMs: positiveMs().default(5_000),
  /**
   * How often a name is looked up while all is well, in milliseconds, +-10 %; a shorter TTL of its records is honoured
   * where it is known. Default 30,000, at least 1; null to look again only when a connection fails, as grpc-js does.
   */
  refreshMs: positiveMs().nullable().default(30_000),
  /** How often the file of a `file:` target is looked at, in milliseconds. Default 500, at least 10. */
  filePollMs: positiveMs(10).default(500),
  /**
   * How long a source must stick to an answer without any endpoint before the last ones are given up, in milliseconds.
   * Default 30,000; 0 believes it at once. An empty first answer is always waited out: calls queue until their deadline.
   */
  emptyGraceMs: durationMs().default(30_000),
  /**
   * Share by which one answer may make the set smaller and be believed at once; what is lost by a greater one stays in use
   * for `shrinkGraceMs`, and what is new is used at once. Default 0.5; 0 to 1, and 1 believes all but an empty answer.
   */
  maxShrinkRatio: z.number().min(0).max(1).default(0.5),
  /**
   * How long a source must stick to such a loss, in milliseconds; `emptyGraceMs` where it has been out of reach shortly
   * before, and may not know everything again. Default 500.
   */
  shrinkGraceMs: durationMs().default(500),
  /**
   * How long the last endpoints are used without an answer from a source that fails, in milliseconds. Default null, for
   * ever: they may still be right, and none would be worse. A limit is for networks that give addresses to others.
   */
  maxStaleMs: positiveMs().nullable().default(null),
  /** How `consul:` targets are asked. */
  consul: consulOptionsSchema.prefault({}),
  /** How `etcd:` targets are asked. */
  etcd: etcdOptionsSchema.prefault({}),
};
/** By name, so that declarations keep the comments of its keys. */
export interface DiscoverySchema extends z.ZodObject<typeof discoveryShape, z.core.$strict> {}

/** How resolvers pace themselves, and what of their answers is believed. */
export const discoveryOptionsSchema: DiscoverySchema = z.strictObject(discoveryShape);

export type DiscoveryOptions = z.input<typeof discoveryOptionsSchema>;
export type ResolvedDiscoveryOptions = z.output<typeof discoveryOptionsSchema>;
