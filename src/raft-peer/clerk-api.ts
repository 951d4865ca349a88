import type { EndpointStats } from "../call/index.js";
import type { CloseOptions, Subscription } from "../core/index.js";
import type { NodeState } from "./kv-messages.js";

/** What may differ for one operation. */
export interface OperationOptions {
  /** Time for this operation, in ms, instead of the Clerk's. At least 1. */
  readonly timeoutMs?: number;
  /** Aborting it settles the operation at once, in every wait too. */
  readonly signal?: AbortSignal;
}

/** The leader known for a term. */
export interface Leader {
  readonly term: number;
  readonly address: string;
}

/** One server's own view; `Offline` with zeros when it did not answer in time. */
export interface ServerStatus {
  readonly address: string;
  readonly id: number;
  readonly state: NodeState | "Offline";
  readonly term: number;
  readonly lastApplied: number;
  readonly commitIndex: number;
  readonly storageBytes: number;
  /** Why it is `Offline`; null otherwise. */
  readonly error: string | null;
}

/** What a Clerk has done so far; plain data. */
export interface ClerkStats {
  readonly leader: Leader | null;
  readonly operations: {
    readonly started: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly inFlight: number;
    readonly queued: number;
  };
  /** Commands sent after the first of each operation. */
  readonly retries: number;
  /** GetStatus requests made to find or check the leader. */
  readonly probes: number;
  readonly servers: readonly EndpointStats[];
}

export type ClerkEvent =
  | { readonly type: "leader.changed"; readonly leader: Leader; readonly previous: Leader | null }
  | { readonly type: "leader.lost"; readonly leader: Leader; readonly cause: string }
  | { readonly type: "servers.changed"; readonly servers: readonly string[] }
  | {
      readonly type: "operation.retry";
      readonly operation: "get" | "put" | "append";
      readonly attempt: number;
      readonly address: string | null;
      readonly cause: string;
    };

/**
 * A client of a replicated key-value service that tracks the leader and applies every write exactly once. Failures are
 * `ResilienceError`s: `OUTCOME_UNKNOWN` for a write that may or may not have been applied (with its ids), `NOT_LEADER`
 * when no leader was found in time, `CANCELLED`, `CLIENT_CLOSED`, `OVERLOADED`, `MESSAGE_TOO_LARGE`, `REMOTE`.
 */
export interface Clerk {
  /** The value, or undefined when the key does not exist. */
  get(key: string, options?: OperationOptions): Promise<string | undefined>;
  put(key: string, value: string, options?: OperationOptions): Promise<void>;
  append(key: string, value: string, options?: OperationOptions): Promise<void>;
  /**
   * Asks every server at once. A server counts as offline after `timeoutMs`, connecting included; default
   * `probe.timeoutMs`, which a first connection over a slow network may exceed.
   */
  status(options?: Pick<OperationOptions, "timeoutMs">): Promise<readonly ServerStatus[]>;
  /** The leader as known, found first when it is not. */
  leader(options?: OperationOptions): Promise<Leader>;
  stats(): ClerkStats;
  onEvent(listener: (event: ClerkEvent) => void): Subscription;
  /** Lets operations finish within `drainMs` (default 30,000), then ends them; closes every connection. */
  close(options?: CloseOptions): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
