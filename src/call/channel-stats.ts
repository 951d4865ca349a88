import type { BreakerStateWord, ConnectivityWord, Endpoint } from "../core/index.js";
import type { SourceStats } from "../discovery/index.js";
import type { Standing, Subchannel } from "../pool/index.js";
import type { FailureCount } from "./failure-counts.js";

/**
 * One endpoint as it stands now. Where calls ask for other compression, or streams have connections of their own, it
 * has connections in several lanes: then `state` and `retryInMs` are those of the channel's main one, and the rest is
 * of all of them.
 */
export interface EndpointStats {
  readonly address: string;
  readonly priority: number;
  readonly weight: number;
  readonly zone?: string;
  /** As its resolver gave it. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly state: ConnectivityWord;
  /** Sockets that are READY. */
  readonly connections: number;
  /** Its own word; null where health is not asked for. */
  readonly health: "unknown" | "serving" | "not-serving" | null;
  readonly isSuspect: boolean;
  readonly breaker: BreakerStateWord;
  /** Taken out of use by `isolate()`; `breaker` is "open" then. */
  readonly isIsolated: boolean;
  /** Out of use, because it failed more than the others. */
  readonly isEjected: boolean;
  readonly callsInFlight: number;
  /** Attempts ever sent there. */
  readonly picks: number;
  /** Peak-sensitive moving average of its answers, in ms; null before the first. */
  readonly latencyMs: number | null;
  /** Milliseconds until the next dial; null when none is scheduled. */
  readonly retryInMs: number | null;
  readonly lastError: { readonly text: string; readonly at: string } | null;
}

/** A channel as it stands now; plain data, ready for JSON. */
export interface ChannelStats {
  readonly target: string;
  /** `pool`: our own connections. `stub-channel`: a stub's own channel, or one of grpc-js's that a target is passed through to. `disabled`: plain pass-through. */
  readonly mode: "pool" | "stub-channel" | "disabled";
  readonly state: ConnectivityWord;
  readonly callsInFlight: number;
  readonly callsQueued: number;
  readonly calls: {
    readonly started: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly attempts: number;
    readonly retries: number;
    readonly transparentRetries: number;
    /** Attempts started while an earlier one of the same call was in flight. */
    readonly hedges: number;
  };
  /** Failed attempts by method and endpoint. */
  readonly failures: readonly FailureCount[];
  readonly throttle: { readonly tokens: number; readonly maxTokens: number } | null;
  readonly retryBufferBytes: number;
  readonly endpoints: readonly EndpointStats[];
  /** Where the endpoints come from, a source for each target, as they stand now; while the channel idles as they were before. Empty without a pool, and before the first call. */
  readonly discovery: readonly SourceStats[];
}

/**
 * @param others the same endpoint in the other lanes
 * @param now monotonic ms
 */
export function endpointStats(main: Subchannel, others: readonly Subchannel[], now: number): EndpointStats {
  const { endpoint, state, retryInMs } = main;
  const all = [main, ...others];
  const lastError = all
    .map((subchannel) => subchannel.lastError)
    .reduce((newest, error) => ((error?.at ?? 0) > (newest?.at ?? 0) ? error : newest));
  return {
    ...placeOf(endpoint),
    state,
    ...standingStats(main.standing, now),
    isSuspect: all.some(({ isSuspect }) => isSuspect),
    connections: all.reduce((sum, { connections }) => sum + connections.length, 0),
    retryInMs: retryInMs === null ? null : Math.round(retryInMs),
    lastError: lastError === null ? null : { text: lastError.text, at: new Date(lastError.at).toISOString() },
  };
}

/** An endpoint of which nothing is known yet. */
export function unseenEndpoint(address: string): EndpointStats {
  return {
    address,
    priority: 0,
    weight: 1,
    state: "IDLE",
    connections: 0,
    health: null,
    isSuspect: false,
    breaker: "closed",
    isIsolated: false,
    isEjected: false,
    callsInFlight: 0,
    picks: 0,
    latencyMs: null,
    retryInMs: null,
    lastError: null,
  };
}

/** What is known of an endpoint apart from its connections. */
export function standingStats(
  { gate, tally, health, inFlight, picks, latency }: Standing,
  now: number,
): Pick<
  EndpointStats,
  "breaker" | "isIsolated" | "isEjected" | "health" | "callsInFlight" | "picks" | "latencyMs"
> {
  const latencyMs = latency.read(now);
  return {
    breaker: gate.state,
    isIsolated: gate.isIsolated === true,
    isEjected: tally.isEjected,
    health: health?.status ?? null,
    callsInFlight: inFlight,
    picks,
    latencyMs: latencyMs < 0 ? null : Math.round(latencyMs * 100) / 100,
  };
}

function placeOf({ address, priority = 0, weight = 1, zone, metadata }: Endpoint) {
  return {
    address,
    priority,
    weight,
    ...(zone === undefined ? {} : { zone }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}
