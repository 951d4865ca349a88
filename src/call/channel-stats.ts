import type { BreakerStateWord, ConnectivityWord } from "../core/index.js";
import type { Subchannel } from "../pool/index.js";
import type { FailureCount } from "./failure-counts.js";

/**
 * One endpoint as it stands now. Where calls ask for different compression it has a connection for each algorithm:
 * then `state` and `retryInMs` are those of the channel's default, and the rest is of all of them.
 */
export interface EndpointStats {
  readonly address: string;
  readonly state: ConnectivityWord;
  readonly isSuspect: boolean;
  readonly callsInFlight: number;
  readonly breaker: BreakerStateWord;
  /** Milliseconds until the next dial; null when none is scheduled. */
  readonly retryInMs: number | null;
  readonly lastError: { readonly text: string; readonly at: string } | null;
}

/** A channel as it stands now; plain data, ready for JSON. */
export interface ChannelStats {
  readonly target: string;
  /** `pool`: our own connections. `stub-channel`: a stub's own channel. `disabled`: plain pass-through. */
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
}

/** @param others the same endpoint in the pools for other compression */
export function endpointStats(main: Subchannel, others: readonly Subchannel[] = []): EndpointStats {
  const { endpoint, word, gate, retryInMs } = main;
  const all = [main, ...others];
  const lastError = all
    .map((subchannel) => subchannel.lastError)
    .reduce((newest, error) => ((error?.at ?? 0) > (newest?.at ?? 0) ? error : newest));
  return {
    address: endpoint.address,
    state: word,
    isSuspect: all.some(({ isSuspect }) => isSuspect),
    callsInFlight: all.reduce((sum, { connection }) => sum + (connection?.inFlight ?? 0), 0),
    breaker: gate.state,
    retryInMs: retryInMs === null ? null : Math.round(retryInMs),
    lastError: lastError === null ? null : { text: lastError.text, at: new Date(lastError.at).toISOString() },
  };
}
