import { isIP } from "node:net";
import { z } from "zod";
import { canonicalAddress, isObject, parseAddress, positiveMs } from "../core/index.js";

/** Consul's limit, and enough for anybody. */
const MAX_WEIGHT = 65_535;
const DEFAULT_TTL_MS = 15_000;
const DEFAULT_INTERVAL_MS = 10_000;

/** Where clients are to go: an address that others reach, so none that stands for "every interface of mine". */
const addressSchema = z
  .custom<string>((given) => typeof given === "string", {
    error: ({ input }) =>
      `${input === undefined ? "missing; write" : "allowed:"} host:port, as clients reach it`,
  })
  .transform((text, context): string => {
    const address = parseAddress(text);
    const problem = typeof address === "string" ? address : unreachable(address);
    if (problem === null && typeof address !== "string") return canonicalAddress(address);
    context.addIssue({ code: "custom", message: `it ${problem}` });
    return z.NEVER;
  });

function unreachable(address: Exclude<ReturnType<typeof parseAddress>, string>): string | null {
  if (address.kind === "unix") return "is a socket path, which no other machine can reach; write host:port";
  const isAny = isIP(address.host) !== 0 && /^[0:.]+$/.test(address.host);
  return isAny ? "names every interface of a machine and no machine; write the one that clients reach" : null;
}

const checkShape = {
  /**
   * The service says itself that it lives, at a third of this time, and is critical when it has been silent for all of it,
   * in milliseconds. Default 15,000; 1,000 or more. Works also where the registry cannot reach the service.
   */
  ttlMs: positiveMs(1_000).optional(),
  /**
   * In place of `ttlMs`, for Consul: its agent asks the service by gRPC's health checking protocol; true for the server as a
   * whole, or the name of a health service. The agent must be able to reach `address`.
   */
  grpc: z
    .union([
      z.literal(true),
      z
        .string()
        .refine((name) => name !== "", "true stands for the server as a whole; write that, or a name"),
    ])
    .optional(),
  /** With `grpc`: true to ask over TLS; the agent must trust the certificate. Default false. */
  tls: z.boolean().optional(),
  /** With `grpc` and `tls`: the name that the certificate carries. Default: the host of `address`. */
  tlsServerName: z.string().min(1).optional(),
  /** With `grpc`: how often the agent asks, in milliseconds. Default 10,000; 1,000 or more, as Consul has it. */
  intervalMs: positiveMs(1_000).optional(),
  /** With `grpc`: how long an answer may take, in milliseconds. Default: `intervalMs`, and at most Consul's own 10,000. */
  timeoutMs: positiveMs().optional(),
};

type Fields = Readonly<Record<string, unknown>>;
const GRPC_ONLY = ["tls", "tlsServerName", "intervalMs", "timeoutMs"] as const;

/** The service says that it lives. */
export interface TtlCheck {
  readonly ttlMs: number;
}

/** The registry asks the service. */
export interface GrpcCheck {
  /** Null for the server as a whole. */
  readonly healthService: string | null;
  readonly tls: boolean;
  readonly tlsServerName: string | null;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** By name, so that declarations keep the comments of its keys. */
interface CheckSchema extends z.ZodObject<typeof checkShape, z.core.$strict> {}

const givenCheckSchema: CheckSchema = z.strictObject(checkShape).check(
  z.superRefine<object>(
    (options, context) => {
      const given = options as Fields;
      const problem = (key: string, message: string) =>
        context.addIssue({ code: "custom", path: [key], message });
      if (given["grpc"] === undefined && given["ttlMs"] === undefined)
        problem("ttlMs", "missing; give ttlMs or grpc");
      if (given["grpc"] !== undefined) {
        if (given["ttlMs"] !== undefined) problem("ttlMs", "set beside grpc; give one of them");
        return;
      }
      for (const key of GRPC_ONLY)
        if (given[key] !== undefined) problem(key, "set without grpc, for which alone it is");
    },
    { when: isObject },
  ),
);

const checkSchema = givenCheckSchema.transform((given): TtlCheck | GrpcCheck => {
  if (given.grpc === undefined) return { ttlMs: given.ttlMs ?? DEFAULT_TTL_MS };
  const intervalMs = given.intervalMs ?? DEFAULT_INTERVAL_MS;
  return {
    healthService: given.grpc === true ? null : given.grpc,
    tls: given.tls ?? false,
    tlsServerName: given.tlsServerName ?? null,
    intervalMs,
    timeoutMs: given.timeoutMs ?? Math.min(intervalMs, 10_000),
  };
});

const serviceShape = {
  /** Where clients reach the server: `10.0.0.5:50051`, `[2001:db8::5]:50051` or `host:50051`. */
  address: addressSchema,
  /**
   * What the registration goes by; one of the same id is replaced. Default: the address, in Consul after the name of the
   * service, so that a server that is started again takes its own old place.
   */
  id: z
    .string()
    .regex(/^[^\p{Cc}/"`\\]{1,200}$/u, '1 to 200 characters, without / " ` \\ and control characters')
    .optional(),
  /** Share of the calls beside other servers, for policies that know weights. Default 1; a whole number, 1 to 65,535. */
  weight: z.int().min(1).max(MAX_WEIGHT).default(1),
  /** The same while the service is in state `warning`, for Consul. Default 1; 0 to 65,535, and 0 takes it out of use. */
  warningWeight: z.int().min(0).max(MAX_WEIGHT).optional(),
  /** Words that clients may ask for: `consul://.../users?tag=v2`. Default none. */
  tags: z.array(z.string().min(1)).default([]),
  /**
   * What else clients are to know of it, as text. Default nothing. Consul takes 64 entries, keys of letters, digits, - and _
   * up to 128 characters, and values up to 512.
   */
  metadata: z.record(z.string().min(1), z.string()).default({}),
  /** Where it stands, for clients that prefer their own zone. Default: nowhere in particular. */
  zone: z.string().min(1).optional(),
  /** How the registry knows that the service lives. Default `{ ttlMs: 15_000 }`: needs nobody to reach us. */
  check: checkSchema.default({ ttlMs: DEFAULT_TTL_MS }),
  /**
   * How long a service may be critical before Consul takes it out for good, in milliseconds. Default 60,000, which is also
   * the least that Consul heeds; it looks every 30 s. Null for never.
   */
  deregisterAfterMs: positiveMs(60_000).nullable().optional(),
  /**
   * True to reject where the first attempt to register fails. Default false: a server that comes up while its registry is
   * away serves all the same, and is registered as soon as that is possible.
   */
  failFast: z.boolean().default(false),
};
/** By name, so that declarations keep the comments of its keys. */
export interface ServiceSchema extends z.ZodObject<typeof serviceShape, z.core.$strict> {}

/** A service as `registerService` takes it. */
export const serviceOptionsSchema: ServiceSchema = z.strictObject(serviceShape).check(
  z.superRefine<object>(
    (options, context) => {
      const { zone, metadata } = options as Fields;
      if (zone === undefined || !isObject({ value: metadata })) return;
      if (Reflect.get(metadata as object, "zone") === undefined) return;
      context.addIssue({
        code: "custom",
        path: ["zone"],
        message: "set beside metadata.zone; give one of them",
      });
    },
    { when: isObject },
  ),
);

export type ServiceOptions = z.input<typeof serviceOptionsSchema>;
export type ResolvedServiceOptions = z.output<typeof serviceOptionsSchema>;
