import type { Metadata, StatusObject, status } from "@grpc/grpc-js";
import type { Origin, Processed, Reason } from "./reasons.js";

/**
 * How far an attempt got, which decides whether it may be repeated (gRFC A6, "transparent retries"):
 * `unsent` never left the client, `refused` reached the server's library only, `sent` may have reached the
 * application, `no-pick` found no endpoint, `dropped` must not be repeated at all.
 */
export type Progress = "unsent" | "refused" | "sent" | "no-pick" | "dropped";

/** How one attempt ended: the facts from which retry, breaker, throttle and the caller's error are decided. */
export interface Outcome {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
  readonly reason: Reason;
  readonly origin: Origin;
  readonly processed: Processed;
  readonly progress: Progress;
  /** True when the whole connection ended, so that every call on it tells of the same event. */
  readonly isConnectionLoss: boolean;
  /** When a breaker that refused it lets a probe through; absent where nothing is known of it. */
  readonly retryAt?: Date;
}

/** One line of the attempt trail: what was tried, where, how it ended, and why there was or was not a next one. */
export interface AttemptRecord {
  /** 1 for the first attempt; transparent retries count here too. */
  readonly attempt: number;
  /** Address of the endpoint, or null when none could be picked. */
  readonly endpoint: string | null;
  /** Milliseconds from the start of the call to the start of this attempt. */
  readonly startedMs: number;
  /** How long the attempt took, in milliseconds. */
  readonly ms: number;
  readonly code: status;
  readonly reason: Reason;
  readonly origin: Origin;
  readonly processed: Processed;
  readonly details: string;
  /** Why the next attempt was made, or was not. */
  readonly next: string;
}

/** Names one write of a Clerk's session, for good: no other write is ever sent with the same two. */
export interface CommandIds {
  readonly clientId: bigint;
  readonly commandId: bigint;
}

/** What every failed call carries beside grpc-js's `code`, `details` and `metadata`. */
export interface FailureReport {
  readonly reason: Reason;
  readonly origin: Origin;
  readonly processed: Processed;
  readonly attempts: readonly AttemptRecord[];
  /** One sentence with the numbers. */
  readonly explanation: string;
  /** For CIRCUIT_OPEN: when a probe will be let through. */
  readonly retryAt?: Date;
  /** The ids of a Clerk's write; undefined for everything else. */
  readonly command?: CommandIds | undefined;
}

/** A final status as it reaches grpc-js, which copies every field onto the error the caller gets. */
export type ReportedStatus = StatusObject & Partial<FailureReport>;
