import type { CallCredentials } from "@grpc/grpc-js";
import type { Clock, EventHub } from "../core/index.js";
import type { Compression } from "../pool/index.js";
import type { RetryThrottle } from "../retry/index.js";
import type { FailureCounts } from "./failure-counts.js";
import type { MethodPolicies } from "./method-policy.js";
import type { BufferBudget } from "./retry-buffer.js";
import type { KnownMethods } from "./rpc-kind.js";
import type { RunningCall } from "./running-calls.js";
import type { StartQueue } from "./start-queue.js";
import type { CallTransport } from "./transport.js";
import type { TurnClock } from "./turn-clock.js";

/** What all calls of a channel share. */
export interface CallEnv {
  readonly target: string;
  readonly clock: Clock;
  readonly time: TurnClock;
  readonly starts: StartQueue;
  readonly events: EventHub;
  /** Where the attempts of one call go; null where its compression cannot be had. */
  readonly transportFor: (compression: Compression | undefined, isStream: boolean) => CallTransport | null;
  readonly policies: MethodPolicies;
  readonly known: KnownMethods;
  /** Null when retries are not throttled. */
  readonly throttle: RetryThrottle | null;
  readonly budget: BufferBudget;
  readonly maxMetadataBytes: number;
  /** Of the channel; those of a call are composed with it. */
  readonly callCredentials: CallCredentials | null;
  readonly counters: CallCounters;
  readonly failures: FailureCounts;
  /** Non-null once the channel takes no more calls: the details for them. */
  closedDetails: string | null;
  /** A retry was, or was not, refused by the throttle: the channel tells of the change. */
  noteThrottled(isThrottled: boolean): void;
  callStarted(call: RunningCall): void;
  callEnded(call: RunningCall): void;
}

/** Counted for `stats()`. */
export interface CallCounters {
  started: number;
  succeeded: number;
  failed: number;
  attempts: number;
  retries: number;
  transparentRetries: number;
  /** Attempts started while an earlier one of the same call was in flight. */
  hedges: number;
}
