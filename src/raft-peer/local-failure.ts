import { status as Status } from "@grpc/grpc-js";
import type { Processed, Reason } from "../core/index.js";
import type { FailureKind, LinkFailure } from "./unary-link.js";

/** What a failure's kind says of the rest. */
export interface FailureMeaning {
  readonly code: Status;
  readonly reason: Reason;
  readonly processed: Processed;
}

/**
 * What a failure found on our side of the wire means. As a client on a real network could know it: a call without an
 * answer may have run. The codes of `rejected` and `closed` depend on who said so.
 */
export const FAILURE_MEANINGS: Readonly<Record<FailureKind, FailureMeaning>> = {
  timeout: { code: Status.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED", processed: "maybe" },
  unreachable: { code: Status.UNAVAILABLE, reason: "DIAL_FAILED", processed: "no" },
  rejected: { code: Status.INTERNAL, reason: "REMOTE", processed: "maybe" },
  invalid: { code: Status.INTERNAL, reason: "CONFIG_INVALID", processed: "no" },
  // The server did run it; only what it said is of no use.
  malformed: { code: Status.INTERNAL, reason: "REMOTE", processed: "yes" },
  "too-large": { code: Status.RESOURCE_EXHAUSTED, reason: "MESSAGE_TOO_LARGE", processed: "no" },
  closed: { code: Status.CANCELLED, reason: "CLIENT_CLOSED", processed: "maybe" },
};

/** A failure that no channel has told of: the request never reached it, or the answer looked fine to it. */
export function localFailure(
  kind: FailureKind,
  details: string,
  ms = 0,
  said: Partial<FailureMeaning> = {},
): LinkFailure {
  return { ok: false, kind, ...FAILURE_MEANINGS[kind], ...said, details, ms, attempts: [] };
}

/** A failure before anything was sent. */
export function unsentFailure(
  kind: FailureKind,
  details: string,
  said: Partial<FailureMeaning> = {},
): LinkFailure {
  return localFailure(kind, details, 0, { ...said, processed: "no" });
}
