import { ChannelCredentials } from "@grpc/grpc-js";
import { z } from "zod";
import { breakerOptionsSchema, maxEjectionPercentSchema } from "../breaker/index.js";
import { exceeds, isObject, positiveMs, suggest } from "../core/index.js";
import { discoveryOptionsSchema } from "../discovery/index.js";
import { poolOptionsShape } from "../pool/index.js";
import { retryOptionsSchema, retryOverrideSchema } from "../retry/index.js";

/** `package.Service` or `package.Service/Method`, without a leading slash. */
const METHOD_NAME = /^[A-Za-z_][\w.]*(\/[A-Za-z_]\w*)?$/;

const methodNameSchema = z.string().regex(METHOD_NAME, {
  message: 'is no method name; write "package.Service/Method" or "package.Service", no leading slash',
});

/** The presets by name; `presets.ts` has their values. */
export const PRESET_NAMES = ["grpc", "raft", "eraft"] as const;
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

/** What may differ per method or per service. */
export const methodOptionsSchema = z.strictObject({
  /** True when running the method twice does no harm. Default: what the definition says, else false. */
  idempotent: z.boolean().optional(),
  /** As `timeoutMs` of the channel. */
  timeoutMs: positiveMs().nullable().optional(),
  /** As `attemptTimeoutMs` of the channel; at most the method's timeoutMs. */
  attemptTimeoutMs: positiveMs().nullable().optional(),
  /** As `waitForReady` of the channel. */
  waitForReady: z.boolean().optional(),
  /** Changes the channel's retry options, within its maxAttemptsLimit; false makes one attempt. */
  retry: retryOverrideSchema.optional(),
});

const channelOptionsShape = {
  /** False leaves plain calls: no retry, no default deadline, no breaker. Also by HOLDFAST_DISABLED=1. Default true. */
  enabled: z.boolean().default(true),
  /** grpc-js channel credentials, as for a `Client`. */
  credentials: z
    .custom<ChannelCredentials>((value) => value instanceof ChannelCredentials, {
      abort: false,
      message: "must be ChannelCredentials of the same copy of @grpc/grpc-js that Holdfast uses",
    })
    .optional(),
  /** True for plaintext; the same as `credentials.createInsecure()`. Warns once. */
  insecure: z.boolean().optional(),
  /**
   * Defaults for a kind of service, under what is set here: `grpc`, the plain ones; `raft`, among peers of a Raft
   * cluster; `eraft`, for clients of a replicated KV service. Default `grpc`.
   */
  preset: presetSchema.optional(),
  /** Time for a call with a single response, all attempts and waits included, in ms; null for none. Default 30,000. */
  timeoutMs: positiveMs().nullable().default(30_000),
  /**
   * Limit of one attempt of a call with a single response, in ms; null for none. Default: for idempotent unary calls
   * `timeoutMs / maxAttempts`, at most 5,000; none for others. gRPC has no such limit.
   */
  attemptTimeoutMs: positiveMs().nullable().optional(),
  /** True to wait for a READY endpoint until the deadline instead of failing while all are down. Default false. */
  waitForReady: z.boolean().default(false),
  /** When and how often failed attempts are repeated; false makes one attempt. */
  retry: z
    .union([z.literal(false), retryOptionsSchema])
    .prefault({})
    .transform((retry) => (retry === false ? retryOptionsSchema.parse({ maxAttempts: 1 }) : retry)),
  /** Circuit breaker per endpoint; false for none. */
  breaker: z.union([z.literal(false), breakerOptionsSchema]).prefault({}),
  /** Share of the endpoints that breakers may take out together, in percent; always at least one. Default 50. */
  maxEjectionPercent: maxEjectionPercentSchema,
  /** Options by `package.Service/Method` or `package.Service`; the more exact name wins, field by field. */
  methods: z.record(methodNameSchema, methodOptionsSchema).default({}),
  discovery: discoveryOptionsSchema.prefault({}),
  ...poolOptionsShape,
};

const { credentials: _credentials, insecure: _insecure, ...dataShape } = channelOptionsShape;
/** The options that are plain data and can stand in a file, which has its own way to say how a channel is secured. */
export const channelDataShape = dataShape;

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
    for (const [name, method] of Object.entries(fieldsOf(methods))) {
      const own = fieldsOf(method);
      const problem = (message: string, ...path: string[]) =>
        context.addIssue({ code: "custom", path: ["methods", name, ...path], message });
      const { maxAttempts } = fieldsOf(own["retry"]);
      // What no method may have at all is told by its own schema.
      if (exceeds(maxAttempts, limit) && retryOverrideSchema.safeParse({ maxAttempts }).success) {
        problem(`allowed: 1 to the channel's retry.maxAttemptsLimit (${limit})`, "retry", "maxAttempts");
      }
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

/** For a channel below a Clerk, which has these two by default and nothing else. */
const DEFAULT_LIMIT = channelOptionsShape.retry.parse(undefined).maxAttemptsLimit;
const DEFAULT_TIMEOUT_MS = channelOptionsShape.timeoutMs.parse(undefined);

type Fields = Readonly<Record<string, unknown>>;

/** Rules across fields are asked of what may be anything. */
function fieldsOf(value: unknown): Fields {
  return isObject({ value }) ? (value as Fields) : {};
}

/** All options of a channel. */
export const channelOptionsSchema = z
  .strictObject(channelOptionsShape)
  .refine((options) => options.credentials === undefined || options.insecure === undefined, {
    when: isObject,
    path: ["insecure"],
    message: "is set beside credentials; give one of them",
  })
  .refine((options) => options.insecure !== false || options.credentials !== undefined, {
    when: isObject,
    path: ["insecure"],
    message: "false needs credentials",
  })
  .check(attemptWithinCall, methodsWithinChannel);

export type ChannelOptions = z.input<typeof channelOptionsSchema>;
export type ResolvedChannelOptions = z.output<typeof channelOptionsSchema>;
export type ResolvedMethodOptions = z.output<typeof methodOptionsSchema>;
