import { z } from "zod";
import type { ChannelOptions } from "../call/channel-options.js";
import { parseOptions } from "../core/index.js";
import { retryOptionsSchema } from "../retry/retry-options.js";
import { importChannel } from "./service-config-channel.js";
import { type DefaultOptions, importMethods } from "./service-config-methods.js";
import { readServiceConfig } from "./service-config-read.js";

const importShape = {
  /**
   * True to take a `retryPolicy` or `hedgingPolicy` of a named service or method as its owner's word that running it
   * twice does no harm. Default false: gRPC applies policies whatever a method does, while Holdfast repeats what may
   * have run only where the method is declared idempotent.
   */
  declareIdempotent: z.boolean().default(false),
  /**
   * What maxAttempts of a policy may at most be; where it is more the limit holds, with a warning. Default 5; 2 to 20.
   * gRFC A6 leaves this to the client.
   */
  maxAttemptsLimit: z.int().min(2).max(20).optional(),
};
const importOptionsSchema: z.ZodObject<typeof importShape, z.core.$strict> = z.strictObject(importShape);
/** How a service config is taken over. */
export type ServiceConfigImport = z.input<typeof importOptionsSchema>;

/** The options of a channel of which a service config can say something. */
export type ServiceConfigOptions = Pick<
  ChannelOptions,
  | "timeoutMs"
  | "maxTimeoutMs"
  | "waitForReady"
  | "retry"
  | "hedging"
  | "maxSendMessageBytes"
  | "maxReceiveMessageBytes"
  | "loadBalancing"
  | "outlierEjection"
  | "maxEjectionPercent"
  | "subsetting"
  | "health"
  | "maxConnections"
  | "methods"
>;

/**
 * Turns a gRPC service config into options of a channel: `createChannel(target, { credentials, ...fromServiceConfig(json) })`.
 *
 * The most exact entry of a method applies, as a whole; one without a policy makes no configured retries. Methods that
 * no entry matches keep Holdfast's defaults, as does everything else of which the config says nothing. A policy repeats
 * what may have run only where the method is declared idempotent: by its definition, by `idempotent: true` in `methods`,
 * or here by `declareIdempotent`. What cannot be kept to the letter is told in a process warning with the code
 * `HOLDFAST_SERVICE_CONFIG`.
 *
 * @param config gRPC's JSON, as a text or parsed. Beyond gRPC, durations may be "100ms", and maxAttempts 1 means off.
 * @throws ResilienceError `CONFIG_INVALID` that lists every problem with path, value and what is allowed
 */
export function fromServiceConfig(
  config: string | object,
  options: ServiceConfigImport = {},
): ServiceConfigOptions {
  const { declareIdempotent, maxAttemptsLimit } = parseOptions(
    importOptionsSchema,
    options,
    "fromServiceConfig",
  );
  const read = readServiceConfig(config);
  const { methodConfig, retryThrottling } = read;
  const channel = importChannel(read);
  const { everywhere, methods, warnings } = importMethods(methodConfig ?? [], {
    declareIdempotent,
    maxAttemptsLimit: maxAttemptsLimit ?? DEFAULT_LIMIT,
  });
  warn([...channel.warnings, ...warnings]);
  const retry = {
    ...(everywhere === null ? {} : retryEverywhere(everywhere)),
    ...(maxAttemptsLimit === undefined ? {} : { maxAttemptsLimit }),
    ...(retryThrottling ? { throttle: retryThrottling } : {}),
  };
  const { retry: _, ...fields }: DefaultOptions = everywhere ?? {};
  return {
    ...fields,
    ...(Object.keys(retry).length > 0 ? { retry } : {}),
    ...channel.options,
    ...(Object.keys(methods).length > 0 ? { methods } : {}),
  };
}

const DEFAULT_LIMIT = retryOptionsSchema.parse({}).maxAttemptsLimit;

/** A channel without retries may yet have a throttle and a limit, so it says 1 and not false. */
function retryEverywhere({ retry }: DefaultOptions): Exclude<DefaultOptions["retry"], false | undefined> {
  return retry === undefined || retry === false ? { maxAttempts: 1 } : retry;
}

function warn(warnings: readonly string[]): void {
  if (warnings.length === 0) return;
  process.emitWarning(`fromServiceConfig: ${warnings.join("; ")}`, {
    type: "HoldfastWarning",
    code: "HOLDFAST_SERVICE_CONFIG",
  });
}
