import type { ChannelCredentials } from "@grpc/grpc-js";
import { z } from "zod";
import { exceeds, isObject, positiveMs } from "../core/index.js";
import { clerkChannelRefusals, discoveryNeedsTarget } from "./channel-beneath-options.js";

const MIB = 1024 * 1024;

const clerkProbeShape = {
  /** Wait between the first two rounds of GetStatus, in ms; doubles up to maxIntervalMs. Default 100; 1 or more. */
  initialIntervalMs: positiveMs().default(100),
  /**
   * Longest wait between two rounds, in ms, for up to three servers; grows in proportion with more of them, so that a
   * Clerk asks no more often for a larger cluster. Default 200; initialIntervalMs or more.
   */
  maxIntervalMs: positiveMs().default(200),
  /**
   * How long a server may take to answer GetStatus, in ms; then it counts as offline. Default 100 (eraft's). While no
   * server answers at all it is doubled, up to attemptTimeoutMs.
   */
  timeoutMs: positiveMs().default(100),
  /** An operation without an answer for this long has the leader looked for again beside it, in ms. Default 150. */
  slowAfterMs: positiveMs().default(150),
};
/** By name, so that declarations keep the comments of its keys. */
export interface ClerkProbeSchema extends z.ZodObject<typeof clerkProbeShape, z.core.$strict> {}

/** How the leader is looked for while it is unknown, or silent. One loop per Clerk, whatever the number of operations. */
export const clerkProbeSchema: ClerkProbeSchema = z
  .strictObject(clerkProbeShape)
  .refine(({ initialIntervalMs, maxIntervalMs }) => !exceeds(initialIntervalMs, maxIntervalMs), {
    when: isObject,
    path: ["initialIntervalMs"],
    message: "allowed: maxIntervalMs or less",
  });

/** What a Clerk decides by, beside where its servers are. */
export const clerkOptionsShape = {
  /** Writes in flight at once, each in a session of its own; more wait in order. Default 8; 1 to 1,024. */
  sessions: z.int().min(1).max(1_024).default(8),
  /** Operations that may wait for a session; one more fails with OVERLOADED. Default 10,000; 0 lets none wait. */
  maxQueuedOperations: z.int().min(0).max(10_000_000).default(10_000),
  /**
   * Time for one operation, every attempt, wait and election included, in ms. Default 10,000: several elections of
   * eraft's 1-2 s.
   */
  timeoutMs: positiveMs().default(10_000),
  /**
   * Limit of one attempt, in ms. Default 750: eraft's servers answer ErrTimeout after 500, and a limit below that would
   * lose every such answer.
   */
  attemptTimeoutMs: positiveMs().default(750),
  /** How the leader is looked for while it is unknown, or silent. */
  probe: clerkProbeSchema.prefault({}),
  /** Largest key, in bytes of UTF-8. Default 65,536. */
  maxKeyBytes: z
    .int()
    .min(1)
    .max(64 * MIB)
    .default(65_536),
  /** Largest value of one put or append, in bytes of UTF-8. Default 1 MiB; with the key it must fit a message (4 MiB). */
  maxValueBytes: z
    .int()
    .min(0)
    .max(64 * MIB)
    .default(MIB),
};

/** Where the servers are. */
export const clerkServersShape = {
  /** The servers, as `host:port`; at least one. Leave out when `target` is given. */
  servers: z.array(z.string()).min(1).optional(),
  /** A target as for `createChannel`, or a list of them; its endpoints are the servers, also when they change. */
  target: z.union([z.string(), z.array(z.string())]).optional(),
};

interface RefusalsSchema extends z.ZodObject<typeof clerkChannelRefusals, z.core.$loose> {}
const refusalsSchema: RefusalsSchema = z.looseObject(clerkChannelRefusals);

/** How the servers are reached. */
const clerkChannelShape = {
  /** grpc-js channel credentials. Either these or `insecure: true`. */
  credentials: z.unknown().optional(),
  /** True for plaintext; warns once. */
  insecure: z.boolean().optional(),
  /** Further options of the channels to the servers, as for `createChannel`; the preset `eraft` lies beneath. */
  channel: refusalsSchema.default({}),
};

/** What `createClerk` takes: where the servers are, how they are reached, and what the Clerk decides by. */
export const clerkOptionsSchema: z.ZodObject<
  typeof clerkServersShape & typeof clerkChannelShape & typeof clerkOptionsShape,
  z.core.$strict
> = z
  .strictObject({ ...clerkServersShape, ...clerkChannelShape, ...clerkOptionsShape })
  .refine(({ servers, target }) => (servers === undefined) !== (target === undefined), {
    when: isObject,
    path: ["servers"],
    message: "allowed: either servers or target, and one of them",
  })
  .check(discoveryNeedsTarget);
export type ClerkOptions = z.input<typeof clerkOptionsSchema> & { credentials?: ChannelCredentials };
export type ResolvedClerkOptions = z.output<typeof clerkOptionsSchema>;
