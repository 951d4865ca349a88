/** Why a call ended as it did, as a stable literal. Narrow with `isReason(error, "CIRCUIT_OPEN")`. */
export const REASONS = [
  "ATTEMPT_TIMEOUT",
  "DEADLINE_EXCEEDED",
  "RETRIES_EXHAUSTED",
  "THROTTLED",
  "CIRCUIT_OPEN",
  "NO_READY_ENDPOINT",
  "CONNECTION_LOST",
  "DIAL_FAILED",
  "OVERLOADED",
  "MESSAGE_TOO_LARGE",
  "METADATA_INVALID",
  "CLIENT_CLOSED",
  "CANCELLED",
  "REMOTE",
  "NOT_LEADER",
  "OUTCOME_UNKNOWN",
  "CONFIG_INVALID",
  "DISCOVERY_FAILED",
] as const;

export type Reason = (typeof REASONS)[number];

/** Whether the server may have run the call: the question that makes a repeat safe or not. */
export type Processed = "no" | "maybe" | "yes";

/** Who made the status: this library or grpc-js below it (`local`), or the other side (`remote`). */
export type Origin = "local" | "remote";
