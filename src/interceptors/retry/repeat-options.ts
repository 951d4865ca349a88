import { z } from "zod";
import { exceeds, methodNameSchema, positiveMs } from "../../core/index.js";
import {
  hedgingOptionsSchema,
  hedgingOverrideSchema,
  retryOptionsSchema,
  retryOverrideSchema,
} from "../../retry/index.js";
import { serviceSchema } from "../plain/service-option.js";

const attemptTimeoutMs = () => positiveMs().nullable().optional();

/** What both interceptors ask, beside when to repeat. */
const shared = {
  /** True when running any method twice does no harm. Default: what `service` says of each method, else false. */
  idempotent: z.boolean().optional(),
  /** The service definition of the stub, or several: which methods are idempotent. Default none. */
  service: serviceSchema.optional(),
  /**
   * Time of one attempt within the call's deadline, in ms; null for none. Default: for idempotent calls with a single
   * request and response that have a deadline, an equal share of it, at most 5,000; none for others.
   */
  attemptTimeoutMs: attemptTimeoutMs(),
  /**
   * Request messages of one call that are kept for a further attempt; a longer stream is sent once. Default 100; 0
   * keeps none. Messages are objects here, whose bytes nobody knows.
   */
  maxBufferedMessages: z.int().min(0).default(100),
};
const perMethod = {
  /** True when running the method twice does no harm. Default: what `service` says of it, else as for all methods. */
  idempotent: z.boolean().optional(),
  /** As for all methods. */
  attemptTimeoutMs: attemptTimeoutMs(),
};

const { maxAttempts, maxAttemptsLimit, backoff, retryableCodes, throttle } = retryOptionsSchema.shape;
/** Keys of a channel's retry options, with their comments. */
type Taken<K extends keyof (typeof retryOptionsSchema)["shape"]> = Pick<
  (typeof retryOptionsSchema)["shape"],
  K
>;

const retryMethodShape = {
  /** Changes the retry options for the method; false makes one attempt. */
  retry: retryOverrideSchema.optional(),
};
interface RetryMethodSchema extends z.ZodObject<typeof perMethod & typeof retryMethodShape, z.core.$strict> {}
const retryMethodSchema: RetryMethodSchema = z.strictObject({ ...perMethod, ...retryMethodShape });

const retryShape = {
  /** The retry throttle all calls through the interceptor share; false = none. Default: 20 tokens, 0.1 back. */
  throttle,
  ...shared,
  /** The same by `package.Service/Method` or `package.Service`, each key by the more exact name first. */
  methods: z.record(methodNameSchema, retryMethodSchema).default({}),
};

export const retryInterceptorOptionsSchema: z.ZodObject<
  Taken<"maxAttempts" | "maxAttemptsLimit" | "backoff" | "retryableCodes"> & typeof retryShape,
  z.core.$strict
> = z
  .strictObject({ maxAttempts, maxAttemptsLimit, backoff, retryableCodes, ...retryShape })
  .check(({ value, issues }) => {
    const asked = Object.entries(value.methods).map(([name, { retry }]) =>
      askOf(["methods", name, "retry"], retry),
    );
    for (const ask of [{ path: [], attempts: value.maxAttempts }, ...asked]) refuse(ask, value, issues);
  });
export type RetryInterceptorOptions = z.input<typeof retryInterceptorOptionsSchema>;
export type ResolvedRetryInterceptorOptions = z.output<typeof retryInterceptorOptionsSchema>;

const hedgingMethodShape = {
  /** Hedging of the method: all options of its own, or false for none. */
  hedging: hedgingOverrideSchema.optional(),
};
interface HedgingMethodSchema
  extends z.ZodObject<typeof perMethod & typeof hedgingMethodShape, z.core.$strict> {}
const hedgingMethodSchema: HedgingMethodSchema = z.strictObject({ ...perMethod, ...hedgingMethodShape });

const hedgingShape = {
  /** As of the retry interceptor: it pauses further attempts while failures dominate. */
  throttle,
  ...shared,
  /** The same by `package.Service/Method` or `package.Service`; `hedging: false` for none. */
  methods: z.record(methodNameSchema, hedgingMethodSchema).default({}),
};

export const hedgingInterceptorOptionsSchema: z.ZodObject<
  (typeof hedgingOptionsSchema)["shape"] & Taken<"maxAttemptsLimit"> & typeof hedgingShape,
  z.core.$strict
> = hedgingOptionsSchema.safeExtend({ maxAttemptsLimit, ...hedgingShape }).check(({ value, issues }) => {
  const asked = Object.entries(value.methods).map(([name, { hedging }]) =>
    askOf(["methods", name, "hedging"], hedging),
  );
  for (const ask of [{ path: [], attempts: value.maxAttempts }, ...asked]) refuse(ask, value, issues);
});
export type HedgingInterceptorOptions = z.input<typeof hedgingInterceptorOptionsSchema>;
export type ResolvedHedgingInterceptorOptions = z.output<typeof hedgingInterceptorOptionsSchema>;

interface Ask {
  readonly path: string[];
  readonly attempts: number | undefined;
}

function askOf(
  path: string[],
  policy: false | { readonly maxAttempts?: number | undefined } | undefined,
): Ask {
  return { path, attempts: policy === false ? undefined : policy?.maxAttempts };
}

function refuse(
  { path, attempts }: Ask,
  { maxAttemptsLimit: limit }: { readonly maxAttemptsLimit: number },
  issues: z.core.$ZodRawIssue[],
): void {
  if (!exceeds(attempts, limit)) return;
  const message = `maxAttempts is ${attempts}; allowed: 1 to maxAttemptsLimit (${limit})`;
  issues.push({ code: "custom", message, path, input: attempts });
}
