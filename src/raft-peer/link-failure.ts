import { status as Status } from "@grpc/grpc-js";
import type { Reason, ReportedStatus } from "../core/index.js";
import type { FailureKind, LinkFailure } from "./unary-link.js";

/** What each of the channel's reasons is to Raft and the Clerk. The last four are never a channel's. */
const KINDS: Readonly<Record<Reason, FailureKind>> = {
  ATTEMPT_TIMEOUT: "timeout",
  DEADLINE_EXCEEDED: "timeout",
  CIRCUIT_OPEN: "unreachable",
  CONNECTION_LOST: "unreachable",
  DIAL_FAILED: "unreachable",
  DISCOVERY_FAILED: "unreachable",
  NO_READY_ENDPOINT: "unreachable",
  OVERLOADED: "unreachable",
  RETRIES_EXHAUSTED: "unreachable",
  THROTTLED: "unreachable",
  REMOTE: "rejected",
  MESSAGE_TOO_LARGE: "too-large",
  METADATA_INVALID: "invalid",
  CANCELLED: "closed",
  CLIENT_CLOSED: "closed",
  CONFIG_INVALID: "invalid",
  NOT_LEADER: "rejected",
  OUTCOME_UNKNOWN: "rejected",
};

/** How grpc-js and grpc-go servers refuse a request above their limit, before any handler has seen it. */
const OVER_SERVER_LIMIT = /received message larger than max/i;

/** A failed call of the channel, as a value. */
export function linkFailure(status: ReportedStatus, ms: number): LinkFailure {
  const { code, details, reason = "REMOTE", processed = "maybe", attempts = [] } = status;
  const kind = kindOf(status, reason);
  return { ok: false, kind, code, reason, processed, details: status.explanation ?? details, ms, attempts };
}

function kindOf({ code, details, origin }: ReportedStatus, reason: Reason): FailureKind {
  // A call may spend all its time waiting for a connection.
  if (origin === "local" && code === Status.DEADLINE_EXCEEDED) return "timeout";
  if (reason === "REMOTE" && code === Status.RESOURCE_EXHAUSTED && OVER_SERVER_LIMIT.test(details)) {
    return "too-large";
  }
  return KINDS[reason];
}
