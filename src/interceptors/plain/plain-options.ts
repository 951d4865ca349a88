import type { Metadata } from "@grpc/grpc-js";
import { z } from "zod";
import { breakerRuleSchema } from "../../breaker/index.js";
import { methodNameSchema, positiveMs, VALUE_HIDDEN } from "../../core/index.js";
import { serviceSchema } from "./service-option.js";

/** What stands in the place of a function that gives a token may be the token. */
const functionSchema = <F extends (...args: never[]) => unknown>() =>
  z.custom<F>((value) => typeof value === "function", {
    message: "must be a function",
    params: VALUE_HIDDEN,
  });

const deadlineMethodShape = {
  /** Most time for a call of the method, in milliseconds, from the moment it is made; null for none. */
  timeoutMs: positiveMs().nullable(),
};
interface DeadlineMethodSchema extends z.ZodObject<typeof deadlineMethodShape, z.core.$strict> {}
const deadlineMethodSchema: DeadlineMethodSchema = z.strictObject(deadlineMethodShape);

const deadlineShape = {
  /** Most time for a call with a single response, in milliseconds, from the moment it is made. Default 30,000. */
  timeoutMs: positiveMs().default(30_000),
  /**
   * Other limits by `package.Service/Method` or `package.Service`, the more exact name first; null for none. The only
   * way to bound calls that answer with a stream.
   */
  methods: z.record(methodNameSchema, deadlineMethodSchema).default({}),
};

export const deadlineOptionsSchema: z.ZodObject<typeof deadlineShape, z.core.$strict> =
  z.strictObject(deadlineShape);
export type DeadlineOptions = z.input<typeof deadlineOptionsSchema>;
export type ResolvedDeadlineOptions = z.output<typeof deadlineOptionsSchema>;

const breakerInterceptorShape = {
  /** One breaker for all calls through the interceptor, or one for each of their methods. Default "target". */
  per: z.enum(["target", "method"]).default("target"),
};

export const breakerInterceptorOptionsSchema: z.ZodObject<
  (typeof breakerRuleSchema)["shape"] & typeof breakerInterceptorShape,
  z.core.$strict
> = breakerRuleSchema.safeExtend(breakerInterceptorShape);
export type BreakerInterceptorOptions = z.input<typeof breakerInterceptorOptionsSchema>;

const maxMetadataBytes = () =>
  z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(8_192);

const metadataShape = {
  /** Largest request metadata, names and values together, in bytes. Default 8,192, what gRPC servers take by default. */
  maxMetadataBytes: maxMetadataBytes(),
};

export const metadataOptionsSchema: z.ZodObject<typeof metadataShape, z.core.$strict> =
  z.strictObject(metadataShape);
export type MetadataInterceptorOptions = z.input<typeof metadataOptionsSchema>;

/** What a source of credentials is told. */
export interface AuthContext {
  /** Full path, `/package.Service/Method`. */
  readonly method: string;
  /** True when a server answered UNAUTHENTICATED: what was given last is worth nothing any more. */
  readonly isRefresh: boolean;
}

const authMethodShape = {
  /** True when running the method twice does no harm: its calls are then repeated after a refresh. */
  idempotent: z.boolean(),
};
interface AuthMethodSchema extends z.ZodObject<typeof authMethodShape, z.core.$strict> {}
const authMethodSchema: AuthMethodSchema = z.strictObject(authMethodShape);

const authShape = {
  /** Gives the token of a call, sent as `authorization: Bearer <token>`. Asked for every call: keep it yourself. */
  getToken: functionSchema<(context: AuthContext) => string | Promise<string>>().optional(),
  /** Gives the metadata of a call, where the server wants something else than a bearer token. */
  getMetadata: functionSchema<(context: AuthContext) => Metadata | Promise<Metadata>>().optional(),
  /**
   * True when running any method twice does no harm: calls are then repeated after a refresh. Default: what `service`
   * says of each method, else false.
   */
  idempotent: z.boolean().optional(),
  /** The service definition of the stub, or several: which methods are idempotent. Default none. */
  service: serviceSchema.optional(),
  /** Whether a method is idempotent, by `package.Service/Method` or `package.Service`, the more exact name first. */
  methods: z.record(methodNameSchema, authMethodSchema).default({}),
  /** As of the metadata interceptor. Default 8,192. */
  maxMetadataBytes: maxMetadataBytes(),
  /** How long a refresh may take, in ms; then the calls that wait for it get the server's answer. Default 10,000. */
  fetchTimeoutMs: positiveMs().default(10_000),
};

export const authOptionsSchema: z.ZodObject<typeof authShape, z.core.$strict> = z
  .strictObject(authShape)
  .refine((options) => (options.getToken === undefined) !== (options.getMetadata === undefined), {
    when: ({ value }) => typeof value === "object" && value !== null,
    message: "give getToken or getMetadata, one of them",
  });
export type AuthOptions = z.input<typeof authOptionsSchema>;
export type ResolvedAuthOptions = z.output<typeof authOptionsSchema>;

/** Levels that a logger has by pino's standard. */
const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type LogLevel = (typeof LEVELS)[number];

/** Says of a message what may stand in a log: ids, counts, lengths; never its content. */
export type Summary = (message: never, context: { readonly method: string }) => object;

const loggingShape = {
  /** Level of the line of a call that ended OK. Default "info". */
  level: z.enum(LEVELS).default("info"),
  /** Level of the line of a call that failed. Default "warn". */
  failureLevel: z.enum(LEVELS).default("warn"),
  /** Also logs the text of a failure, which a server may have filled with what it was sent. Default false. */
  details: z.boolean().default(false),
  /** Summary of a single request; called only for a line that is written. Default none. */
  summarizeRequest: functionSchema<Summary>().optional(),
  /** Summary of a single response; called only for a line that is written. Default none. */
  summarizeResponse: functionSchema<Summary>().optional(),
};

export const loggingOptionsSchema: z.ZodObject<typeof loggingShape, z.core.$strict> =
  z.strictObject(loggingShape);
export type LoggingOptions = z.input<typeof loggingOptionsSchema>;
export type ResolvedLoggingOptions = z.output<typeof loggingOptionsSchema>;

/** A call that has just been started. */
export interface StartedCall {
  /** Full path, `/package.Service/Method`. */
  readonly method: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  /** 1, unless a retry interceptor above makes further ones. */
  readonly attempt: number;
  /** Epoch ms; null for none. */
  readonly deadline: number | null;
}

/** Messages of a call so far, without their content. */
export interface CallCounts {
  readonly method: string;
  readonly sent: number;
  readonly received: number;
}

/** A call that has ended. */
export interface FinishedCall extends CallCounts {
  /** gRPC status number; 0 is OK. */
  readonly code: number;
  readonly details: string;
  /** Why it failed, where a channel or an interceptor of Holdfast knows; null otherwise. */
  readonly reason: string | null;
  readonly ms: number;
  readonly attempt: number;
  /** Address that was called, or the target where there was no connection; null when nothing was sent. */
  readonly endpoint: string | null;
}

const hook = <T>() => functionSchema<(call: T) => void>().optional();
const hooksShape = {
  /** The caller has started a call. */
  onStart: hook<StartedCall>(),
  /** The call has ended, be it by a cancel: once per call that was started. */
  onFinish: hook<FinishedCall>(),
  /** The caller has handed over a message. */
  onMessageSent: hook<CallCounts>(),
  /** A message has arrived. */
  onMessageReceived: hook<CallCounts>(),
};

export const hooksSchema: z.ZodObject<typeof hooksShape, z.core.$strict> = z.strictObject(hooksShape);
export type CallHooks = z.input<typeof hooksSchema>;

/** The entry for a method: its exact name before its service. */
export function entryFor<T>(methods: Readonly<Record<string, T>>, path: string): T | undefined {
  const name = path.slice(1);
  const exact = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (exact !== undefined) return exact;
  const service = name.slice(0, Math.max(0, name.lastIndexOf("/")));
  return Object.hasOwn(methods, service) ? methods[service] : undefined;
}
