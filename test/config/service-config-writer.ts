import type { ServiceConfigOptions } from "../../src/config/index.js";
import { durationText } from "./duration-text.js";
import { balancingJson } from "./service-config-balancing-writer.js";

type Entry = NonNullable<ServiceConfigOptions["methods"]>[string];

/** The gRPC JSON that says what options of `fromServiceConfig` say: the way back of the import. */
export function toServiceConfig(options: ServiceConfigOptions): object {
  const { methods = {}, retry, health, maxConnections } = options;
  const { throttle, maxAttempts } = typeof retry === "object" ? retry : {};
  const entries = Object.entries(methods).map(([name, entry]) => entryOf(nameOf(name), entry));
  // Only a default entry says how often everything is tried.
  if (maxAttempts !== undefined) entries.push(entryOf({}, options as Entry));
  return {
    methodConfig: entries,
    ...(options.loadBalancing === undefined ? {} : { loadBalancingConfig: [balancingJson(options)] }),
    ...(throttle ? { retryThrottling: throttle } : {}),
    ...(health === undefined ? {} : { healthCheckConfig: { serviceName: health.serviceName } }),
    ...(maxConnections === undefined
      ? {}
      : { connectionScaling: { maxConnectionsPerSubchannel: maxConnections } }),
  };
}

function nameOf(name: string): object {
  const [service, method] = name.split("/");
  return method === undefined ? { service } : { service, method };
}

function entryOf(name: object, entry: Entry): object {
  const { maxTimeoutMs, waitForReady, retry, hedging, maxSendMessageBytes, maxReceiveMessageBytes } = entry;
  const { maxAttempts = 1, backoff, retryableCodes } = retry || {};
  return {
    name: [name],
    ...(typeof maxTimeoutMs === "number" ? { timeout: durationText(maxTimeoutMs) } : {}),
    ...(waitForReady === undefined ? {} : { waitForReady }),
    ...(maxSendMessageBytes === undefined ? {} : { maxRequestMessageBytes: maxSendMessageBytes }),
    ...(maxReceiveMessageBytes === undefined ? {} : { maxResponseMessageBytes: maxReceiveMessageBytes }),
    ...(maxAttempts === 1
      ? {}
      : {
          retryPolicy: {
            maxAttempts,
            initialBackoff: durationText(backoff!.initialMs!),
            maxBackoff: durationText(backoff!.maxMs!),
            backoffMultiplier: backoff!.multiplier,
            retryableStatusCodes: retryableCodes,
          },
        }),
    ...(hedging ? { hedgingPolicy: hedgingJson(hedging) } : {}),
  };
}

function hedgingJson({ maxAttempts, delayMs, nonFatalCodes }: Exclude<Entry["hedging"], false | undefined>) {
  return { maxAttempts, hedgingDelay: durationText(delayMs as number), nonFatalStatusCodes: nonFatalCodes };
}
