import { status } from "@grpc/grpc-js";
import type { Outcome, Progress, Reason } from "../core/index.js";

/** The endpoint was not there, or did not answer. */
const FAILURE_REASONS: ReadonlySet<Reason> = new Set(["ATTEMPT_TIMEOUT", "DIAL_FAILED", "CONNECTION_LOST"]);

/** We ended the attempt, or never began it, for a reason of our own. */
const OWN_REASONS: ReadonlySet<Reason> = new Set([
  "CANCELLED",
  "DEADLINE_EXCEEDED",
  "MESSAGE_TOO_LARGE",
  "METADATA_INVALID",
  "CLIENT_CLOSED",
]);

/** The attempt reached no application; a refused stream is routine where a server says goodbye (R71). */
const REACHED_NOBODY: ReadonlySet<Progress> = new Set(["no-pick", "unsent", "refused", "dropped"]);

/**
 * What an attempt's end says about its endpoint (design decision 7): "failure" when it was unreachable, unavailable or
 * silent, "success" when it answered, be it NOT_FOUND, and "neutral" when it was not asked or not waited for. A lost
 * connection is a failure of every call on it (R178): count it once.
 */
export function isInfrastructureFailure(outcome: Outcome): "failure" | "success" | "neutral" {
  if (outcome.isConnectionLoss) return "failure";
  if (REACHED_NOBODY.has(outcome.progress) || OWN_REASONS.has(outcome.reason)) return "neutral";
  if (FAILURE_REASONS.has(outcome.reason)) return "failure";
  if (outcome.code === status.UNAVAILABLE) return "failure";
  // An error grpc-js made, such as an unreadable reply, is no word of the server's.
  return outcome.origin === "remote" || outcome.code === status.OK ? "success" : "neutral";
}
