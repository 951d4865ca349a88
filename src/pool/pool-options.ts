import { z } from "zod";
import { durationMs, exceeds, isObject, positiveMs } from "../core/index.js";
import { compressionSchema } from "./compression.js";
import { loadBalancingSchema } from "./pickers/registry.js";
import { subsettingOptionsSchema } from "./pickers/subsetting.js";
import { innerOptionKeySchema } from "./refused-channel-options.js";

const MIB = 1024 * 1024;
const MAX_MESSAGE_BYTES = 2 ** 31 - 1;
const MAX_WINDOW_BYTES = 2 ** 31 - 1;
/** Servers may answer faster pings with GOAWAY `too_many_pings` (gRFC A8). */
const MIN_KEEPALIVE_MS = 10_000;

const reconnectBackoffShape = {
  /** Wait between the starts of the first and the second dial, in ms. Default 1,000 (gRPC connection backoff). */
  initialMs: positiveMs().default(1_000),
  /** Growth per failed dial. Default 1.6. */
  multiplier: z.number().min(1).max(10).default(1.6),
  /** Longest wait, before jitter, in ms. Default 5,000; gRPC's own is 120,000, which keeps returning servers waiting. */
  maxMs: positiveMs().default(5_000),
  /** Share by which each wait is spread both ways, so that clients do not come back together. 0-1, default 0.2. */
  jitterRatio: z.number().min(0).max(1).default(0.2),
};
/** By name, so that declarations keep the comments of its keys. */
export interface ReconnectBackoffSchema extends z.ZodObject<typeof reconnectBackoffShape, z.core.$strict> {}

export const reconnectBackoffSchema: ReconnectBackoffSchema = z.strictObject(reconnectBackoffShape);

const suspicionShape = {
  /** How long the health Check of a suspect connection may take before a fresh dial decides, in ms. Default 1,000. */
  checkTimeoutMs: positiveMs().default(1_000),
  /**
   * After so long without a call, or a jump of the clock as after a laptop's sleep, a connection is verified before it
   * is used, in ms; null for never. Default 60,000.
   */
  verifyAfterIdleMs: positiveMs().nullable().default(60_000),
  /** A write not flushed for this long, without a byte from the peer, makes its connection suspect, in ms. Default 5,000. */
  writeStallMs: positiveMs().default(5_000),
};
/** By name, so that declarations keep the comments of its keys. */
export interface SuspicionSchema extends z.ZodObject<typeof suspicionShape, z.core.$strict> {}

export const suspicionSchema: SuspicionSchema = z.strictObject(suspicionShape);

/** Connections are looked at about once a second, so they could not be replaced more often. */
const MIN_AGE_MS = 1_000;

/** gRFC A105 caps it so. */
const MAX_CONNECTIONS = 10;
const connectionCount = () => z.int().min(1).max(MAX_CONNECTIONS);

/** Rules across the options of a pool, wherever they stand. */
export const connectionsInOrder = z.superRefine<object>(
  (options, context) => {
    const { poolSize, minConnections, maxConnections } = options as Record<string, unknown>;
    const problem = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    if (poolSize !== undefined && (minConnections ?? maxConnections) !== undefined) {
      problem("poolSize", "stands beside minConnections or maxConnections; give one or the other");
    }
    if (exceeds(minConnections, maxConnections)) {
      problem("minConnections", `allowed: 1 to maxConnections (${String(maxConnections)})`);
    }
  },
  { when: isObject },
);

const keepaliveShape = {
  /** Interval of HTTP/2 pings, in ms (gRFC A8). */
  timeMs: positiveMs(),
  /** How long an answer may take, in ms. Default 20,000. */
  timeoutMs: positiveMs().default(20_000),
  /** Ping while no call runs, too. Default false. */
  permitWithoutCalls: z.boolean().default(false),
  /** Allows `timeMs` under 10,000, which servers in their default configuration punish. Default false. */
  allowAggressiveKeepalive: z.boolean().default(false),
};
/** By name, so that declarations keep the comments of its keys. */
export interface KeepaliveSchema extends z.ZodObject<typeof keepaliveShape, z.core.$strict> {}

export const keepaliveSchema: KeepaliveSchema = z
  .strictObject(keepaliveShape)
  .refine(
    (keepalive) =>
      keepalive.allowAggressiveKeepalive === true || !exceeds(MIN_KEEPALIVE_MS, keepalive.timeMs),
    {
      when: isObject,
      path: ["timeMs"],
      message: `allowed: ${MIN_KEEPALIVE_MS} or more, less only with allowAggressiveKeepalive: servers answer with GOAWAY too_many_pings`,
    },
  );

/** The pool's own options; they stand at the top level of a channel's options. */
export const poolOptionsShape = {
  /**
   * Load-balancing policy, by name or as `{ policy, ...options }`: `round_robin`, `pick_first`, `random`,
   * `weighted_round_robin`, `least_request`, `least_latency`, `ring_hash`, `consistent_hash`, or one of your own (see
   * `registerPicker`). Default `round_robin`.
   */
  loadBalancing: loadBalancingSchema.prefault("round_robin"),
  /** Uses some of the endpoints only; null, the default, for all of them. */
  subsetting: subsettingOptionsSchema.nullable().default(null),
  /** Our own zone: endpoints in it are preferred while most of them are usable; null, the default, for no preference. */
  zone: z.string().min(1).nullable().default(null),
  /**
   * Time over which an endpoint that has come up gets its full share of the calls, in ms; 0, the default, for at once.
   * Refused under `pick_first`, `ring_hash` and `consistent_hash`.
   */
  slowStartMs: durationMs().default(0),
  /** `lazy`, the default: the first call connects. `eager`: the channel connects as soon as it is made. */
  connecting: z.enum(["lazy", "eager"]).default("lazy"),
  /** Connections to each endpoint, always: sets minConnections and maxConnections. 1 to 10. */
  poolSize: connectionCount().optional(),
  /** Connections kept to each endpoint. Default 1; 1 to 10. */
  minConnections: connectionCount().optional(),
  /**
   * Most connections to one endpoint; further ones are opened while calls wait because all have
   * maxStreamsPerConnection calls. Default minConnections; 1 to 10 (gRFC A105).
   */
  maxConnections: connectionCount().optional(),
  /** True to give calls with a response stream connections of their own, so that they do not slow the others. Default false. */
  separateStreams: z.boolean().default(false),
  /**
   * Age at which a connection is replaced without a call noticing, in ms, +-10 %; 1,000 or more: it is looked at once a
   * second. Null, the default, for never (gRFC A9).
   */
  maxConnectionAgeMs: positiveMs(MIN_AGE_MS).nullable().default(null),
  /** Calls after which a connection is replaced: HTTP/2 has 2^30 stream ids. Default 500,000,000. */
  maxCallsPerConnection: z
    .int()
    .min(1)
    .max(2 ** 30)
    .default(500_000_000),
  /** Limit of one dial over name look-up, TCP, TLS and the peer's SETTINGS, in ms. Default 10,000. */
  connectTimeoutMs: positiveMs().default(10_000),
  /** The waits between dials that fail. Default: 1,000 ms growing by 1.6 up to 5,000 ms, +-20 %. */
  reconnectBackoff: reconnectBackoffSchema.prefault({}),
  /** Endpoints connected without being asked for. Default 100; further ones connect as others fail. */
  maxConnectedEndpoints: z.int().min(1).max(10_000).default(100),
  /** Calls in flight per connection; further ones go elsewhere or queue in order. Default 100. */
  maxStreamsPerConnection: z.int().min(1).max(1_000_000).default(100),
  /** Connections are closed after this long without a call, in ms; null never. Default 1,800,000 (gRFC A62). */
  idleTimeoutMs: positiveMs().nullable().default(1_800_000),
  /** How long calls may go on where something leaves: a closed channel, a removed endpoint, a GOAWAY. Default 30,000. */
  drainMs: durationMs().default(30_000),
  /** When a silent connection is checked, and how. */
  suspicion: suspicionSchema.prefault({}),
  /** HTTP/2 pings; null, the default, sends none. */
  keepalive: keepaliveSchema.nullable().default(null),
  /** Largest request message, in bytes. Default 4 MiB. */
  maxSendMessageBytes: z
    .int()
    .min(0)
    .max(MAX_MESSAGE_BYTES)
    .default(4 * MIB),
  /** Largest response message, in bytes. Default 4 MiB. */
  maxReceiveMessageBytes: z
    .int()
    .min(0)
    .max(MAX_MESSAGE_BYTES)
    .default(4 * MIB),
  /**
   * How request messages are compressed: `identity`, `gzip` or `deflate`. Default `identity`, not at all. Answers are
   * decompressed by what the server says. A call that asks for another algorithm goes over a further connection to
   * the same endpoint, made when the first such call comes. A server that lists its algorithms, and this one not
   * among them, gets what follows uncompressed.
   */
  compression: compressionSchema.default("identity"),
  /** HTTP/2 window per stream and connection, in bytes. Default 1 MiB. */
  flowControlWindowBytes: z.int().min(65_535).max(MAX_WINDOW_BYTES).default(MIB),
  /** Overrides `:authority`, and the name the certificate must carry, on every endpoint. */
  authority: z.string().min(1).optional(),
  /** Further grpc-js channel options. Those that Holdfast owns are refused by name. */
  channelOptions: z.record(innerOptionKeySchema, z.union([z.string(), z.number()])).default({}),
};

export const poolOptionsSchema = z.object(poolOptionsShape);
export type ResolvedPoolOptions = z.output<typeof poolOptionsSchema>;
export type ResolvedReconnectBackoff = z.output<typeof reconnectBackoffSchema>;

/** How many connections each endpoint has. */
export function connectionsOf({ poolSize, minConnections, maxConnections }: ResolvedPoolOptions): {
  readonly min: number;
  readonly max: number;
} {
  const min = poolSize ?? minConnections ?? 1;
  return { min, max: Math.max(min, poolSize ?? maxConnections ?? min) };
}
