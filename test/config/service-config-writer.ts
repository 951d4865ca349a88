import type { ServiceConfigOptions } from "../../src/config/index.js";

type Entry = NonNullable<ServiceConfigOptions["methods"]>[string];

/** The gRPC JSON that says what options of `fromServiceConfig` say: the way back of the import. */
export function toServiceConfig(options: ServiceConfigOptions): object {
  const { loadBalancing, methods = {}, retry } = options;
  const { throttle, maxAttempts } = typeof retry === "object" ? retry : {};
  const entries = Object.entries(methods).map(([name, entry]) => entryOf(nameOf(name), entry));
  // Only a default entry says how often everything is tried.
  if (maxAttempts !== undefined) entries.push(entryOf({}, options as Entry));
  return {
    methodConfig: entries,
    ...(loadBalancing === undefined ? {} : { loadBalancingConfig: [{ [loadBalancing]: {} }] }),
    ...(throttle ? { retryThrottling: throttle } : {}),
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

/** Seconds, with the nine decimals that gRPC allows. */
export function durationText(ms: number): string {
  const wholeMs = Math.floor(ms);
  const ns = BigInt(wholeMs) * 1_000_000n + BigInt(Math.round((ms - wholeMs) * 1e6));
  const digits = String(ns).padStart(10, "0");
  return `${digits.slice(0, -9)}.${digits.slice(-9)}s`;
}
