import { z } from "zod";
import {
  breakerOptionsSchema,
  maxEjectionPercentSchema,
  outlierEjectionOptionsSchema,
} from "../breaker/index.js";
import {
  exceeds,
  type Fields,
  fieldsOf,
  isObject,
  methodNameSchema,
  positiveMs,
  suggest,
  tlsOptionsSchema,
} from "../core/index.js";
import { discoveryOptionsSchema } from "../discovery/index.js";
import {
  compressionSchema,
  connectionsInOrder,
  healthDataSchema,
  healthOptionsSchema,
  poolOptionsShape,
} from "../pool/index.js";
import { hedgingOverrideSchema, retryOptionsSchema, retryOverrideSchema } from "../retry/index.js";
import { callCredentialsSchema, channelCredentialsSchema, securedOneWay } from "./credential-options.js";
import { descriptorsSchema } from "./descriptor-options.js";
import { ejectsSomebody, poolRules } from "./pool-rules-options.js";

/** The presets by name; `presets.ts` has their values. */
export const PRESET_NAMES = ["grpc", "documents", "low-latency", "batch", "etcd", "raft", "eraft"] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** No `z.enum`, whose error names no nearest value. */
const presetSchema = z
  .custom<PresetName>((value) => (PRESET_NAMES as readonly unknown[]).includes(value), {
    // Without this it would hide the problems of the rules across fields.
    abort: false,
    error: ({ input }) =>
      `is no preset${typeof input === "string" ? suggest(input, PRESET_NAMES) : `; allowed: ${PRESET_NAMES.join(", ")}`}`,
  })
  .meta({ enum: PRESET_NAMES });

const MAX_BYTES = 2 ** 31 - 1;
const messageBytes = () => z.int().min(0).max(MAX_BYTES);

const methodShape = {
  /** True when running the method twice does no harm. Default: what the definition says, else false. */
  idempotent: z.boolean().optional(),
  /** As `timeoutMs` of the channel. */
  timeoutMs: positiveMs().nullable().optional(),
  /** As `maxTimeoutMs` of the channel. gRFC A2, methodConfig.timeout. */
  maxTimeoutMs: positiveMs().nullable().optional(),
  /** As `attemptTimeoutMs` of the channel; at most the method's timeoutMs. */
  attemptTimeoutMs: positiveMs().nullable().optional(),
  /** As `waitForReady` of the channel. */
  waitForReady: z.boolean().optional(),
  /** As `compression` of the channel. */
  compression: compressionSchema.optional(),
  /** Changes the channel's retry options, within its maxAttemptsLimit; false makes one attempt. */
  retry: retryOverrideSchema.optional(),
  /** As `hedging` of the channel; no `retry` may stand beside it (gRFC A6). */
  hedging: hedgingOverrideSchema.optional(),
  /** Largest request message, in bytes; the channel's own limit still holds. 0 is valid. gRFC A2, maxRequestMessageBytes. */
  maxSendMessageBytes: messageBytes().optional(),
  /** Largest response message, in bytes; the channel's own limit still holds. 0 is valid. gRFC A2, maxResponseMessageBytes. */
  maxReceiveMessageBytes: messageBytes().optional(),
  /** As `firstResponseTimeoutMs` of the channel. */
  firstResponseTimeoutMs: positiveMs().nullable().optional(),
  /** As `streamIdleTimeoutMs` of the channel. */
  streamIdleTimeoutMs: positiveMs().nullable().optional(),
};
/** By name, so that declarations keep the comments of its keys. */
export interface MethodSchema extends z.ZodObject<typeof methodShape, z.core.$strict> {}

/** What may differ per method or per service. */
export const methodOptionsSchema: MethodSchema = z.strictObject(methodShape);

const ownShape = {
  /** False leaves plain calls: no retry, no default deadline, no breaker. Also by HOLDFAST_DISABLED=1. Default true. */
  enabled: z.boolean().default(true),
  /** grpc-js channel credentials, as for a `Client`; in place of `tls`. */
  credentials: channelCredentialsSchema.optional(),
  /** TLS, mutual TLS too, from files that may be renewed at any time, or from PEM text. `{}` trusts whom Node trusts. */
  tls: tlsOptionsSchema.optional(),
  /** True for plaintext; the same as `credentials.createInsecure()`. Warns once. False says no more than its absence. */
  insecure: z.boolean().optional(),
  /**
   * Defaults for a kind of service, under what is set here: `grpc`, the plain ones; `documents`, with patient retries
   * on five codes; `low-latency`, with hedging; `batch`, which waits; `etcd`; `raft`, among peers of a Raft cluster;
   * `eraft`, for clients of a replicated KV service. Default `grpc`.
   */
  preset: presetSchema.optional(),
  /** Time for a call with a single response, all attempts and waits included, in ms; null for none. Default 30,000. */
  timeoutMs: positiveMs().nullable().default(30_000),
  /** Longest time of any call, in ms, whatever deadline its caller gives, streams included; null, the default, for none. */
  maxTimeoutMs: positiveMs().nullable().default(null),
  /**
   * Limit of one attempt of a call with a single response, in ms; null for none. Default: for idempotent unary calls
   * `timeoutMs / maxAttempts`, at most 5,000; none for others, nor for hedged ones. gRPC has no such limit.
   */
  attemptTimeoutMs: positiveMs().nullable().optional(),
  /** True to wait for a READY endpoint until the deadline instead of failing while all are down. Default false. */
  waitForReady: z.boolean().default(false),
  /** When and how often failed attempts are repeated; false makes one attempt. */
  retry: z
    .union([z.literal(false), retryOptionsSchema])
    .prefault({})
    .transform((retry) => (retry === false ? retryOptionsSchema.parse({ maxAttempts: 1 }) : retry)),
  /**
   * Starts further attempts before the first has failed, on methods and calls declared idempotent; there it replaces
   * retry. False for none, the default.
   */
  hedging: hedgingOverrideSchema.default(false),
  /**
   * How long a call with a response stream may be without response headers, in ms; null, the default, for no limit.
   * Where repeating is allowed the attempt is then repeated.
   */
  firstResponseTimeoutMs: positiveMs().nullable().default(null),
  /**
   * How long a response stream that has begun may be without a message in either direction while the application waits
   * for one, in ms; null, the default, for no limit.
   */
  streamIdleTimeoutMs: positiveMs().nullable().default(null),
  /** Largest request metadata, names and values together, in bytes. Default 8,192, what gRPC servers take by default. */
  maxMetadataBytes: z.int().min(0).max(MAX_BYTES).default(8_192),
  /**
   * Asked for the metadata of every attempt, beside the credentials of a call; see `refreshingCredentials`. Refused in
   * plaintext, unless the target has unix sockets only.
   */
  callCredentials: callCredentialsSchema.optional(),
  /** Circuit breaker per endpoint; false for none. */
  breaker: z.union([z.literal(false), breakerOptionsSchema]).prefault({}),
  /**
   * Share of the endpoints that breakers and outlier ejection may take out together, in percent. Default 50; 0 to 100:
   * above 0 at least one, 0 lets none be taken out.
   */
  maxEjectionPercent: maxEjectionPercentSchema,
  /** Takes endpoints out of use that fail more than the others (gRFC A50). Off by default. */
  outlierEjection: outlierEjectionOptionsSchema.check(ejectsSomebody).optional(),
  /** Asks the endpoints for their health (gRFC A17). Off by default. */
  health: healthOptionsSchema.optional(),
  /** Options by `package.Service/Method` or `package.Service`; the more exact name wins, field by field. */
  methods: z.record(methodNameSchema, methodOptionsSchema).default({}),
  /** One or several serialized FileDescriptorSets: tell which methods are idempotent, and of what kind each is. */
  descriptors: descriptorsSchema.optional(),
  /** How often names are looked up, and how long one look-up may take. */
  discovery: discoveryOptionsSchema.prefault({}),
};
const channelOptionsShape = { ...ownShape, ...poolOptionsShape };

const {
  credentials: _credentials,
  tls: _tls,
  insecure: _insecure,
  callCredentials: _callCredentials,
  descriptors: _descriptors,
  health: _health,
  ...dataShape
} = channelOptionsShape;
/** The options that are plain data and can stand in a file, which has its own way to say how a channel is secured. */
export const channelDataShape = { ...dataShape, health: healthDataSchema.optional() };

/** Holds wherever a channel's data stands. */
export const attemptWithinCall = z.refine<{ attemptTimeoutMs?: unknown; timeoutMs?: unknown }>(
  ({ attemptTimeoutMs, timeoutMs }) => !exceeds(attemptTimeoutMs, timeoutMs),
  {
    when: isObject,
    path: ["attemptTimeoutMs"],
    message: "allowed: timeoutMs or less, or no second attempt could be made",
  },
);

/**
 * What methods say beside what the channel says: a number of attempts that would be cut in silence, or an attempt that
 * would outlast its call. A call that is shorter than the attempts of its service or channel merely ends earlier.
 */
export const methodsWithinChannel = z.superRefine<object>(
  (options, context) => {
    const { methods, retry, timeoutMs } = options as Fields;
    const limit = fieldsOf(retry)["maxAttemptsLimit"] ?? DEFAULT_LIMIT;
    for (const [message, ...path] of hedgingProblems({ hedging: (options as Fields)["hedging"] }, limit)) {
      context.addIssue({ code: "custom", path, message });
    }
    for (const [name, method] of Object.entries(fieldsOf(methods))) {
      const own = fieldsOf(method);
      const problem = (message: string, ...path: string[]) =>
        context.addIssue({ code: "custom", path: ["methods", name, ...path], message });
      const { maxAttempts } = fieldsOf(own["retry"]);
      // What no method may have at all is told by its own schema.
      if (exceeds(maxAttempts, limit) && retryOverrideSchema.safeParse({ maxAttempts }).success) {
        problem(`allowed: 1 to the channel's retry.maxAttemptsLimit (${limit})`, "retry", "maxAttempts");
      }
      for (const [message, ...path] of hedgingProblems(own, limit)) problem(message, ...path);
      const service = fieldsOf(fieldsOf(methods)[name.split("/")[0] ?? ""]);
      const callMs = [own["timeoutMs"], service["timeoutMs"], timeoutMs, DEFAULT_TIMEOUT_MS].find(
        (ms) => ms !== undefined,
      );
      if (exceeds(own["attemptTimeoutMs"], callMs)) {
        problem(
          `allowed: timeoutMs (${callMs}) or less, or no second attempt could be made`,
          "attemptTimeoutMs",
        );
      }
    }
  },
  { when: isObject },
);

/** What speaks against the hedging of a method: message and path of each problem. */
function hedgingProblems(method: Fields, limit: unknown): [message: string, ...path: string[]][] {
  const { hedging, retry, idempotent } = method;
  if (hedging === undefined || hedging === false) return [];
  const problems: [string, ...string[]][] = [];
  if (retry !== undefined && retry !== false) {
    problems.push(["stands beside retry; give one of them (gRFC A6)", "hedging"]);
  }
  if (idempotent === false) {
    problems.push(["needs a method that is idempotent, and idempotent is false", "hedging"]);
  }
  // What no method may have at all is told by its own schema.
  const isValid = hedgingOverrideSchema.safeParse(hedging).success;
  if (isValid && exceeds(fieldsOf(hedging)["maxAttempts"], limit)) {
    problems.push([`allowed: 2 to retry.maxAttemptsLimit (${limit})`, "hedging", "maxAttempts"]);
  }
  return problems;
}

/** For a channel below a Clerk, which has these two by default and nothing else. */
const DEFAULT_LIMIT = channelOptionsShape.retry.parse(undefined).maxAttemptsLimit;
const DEFAULT_TIMEOUT_MS = channelOptionsShape.timeoutMs.parse(undefined);

/** What holds across the keys of a channel, wherever they stand. */
export const channelRules = [attemptWithinCall, methodsWithinChannel, connectionsInOrder, poolRules] as const;

/** All options of a channel. */
export const channelOptionsSchema: z.ZodObject<typeof ownShape & typeof poolOptionsShape, z.core.$strict> = z
  .strictObject(channelOptionsShape)
  .check(securedOneWay, ...channelRules);

export type ChannelOptions = z.input<typeof channelOptionsSchema>;
export type ResolvedChannelOptions = z.output<typeof channelOptionsSchema>;
export type ResolvedMethodOptions = z.output<typeof methodOptionsSchema>;
