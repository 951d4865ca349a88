import { Metadata, status as Status, type StatusObject } from "@grpc/grpc-js";
import { classify, type Evidence } from "../../call/index.js";
import type { Outcome, Processed, Reason } from "../../core/index.js";
import { isReported, type LocalFailure } from "../plain/local-failure.js";

/** Made by grpc-js above the wire from what the caller's own code threw; a repeat would throw again (E46). */
const UNSERIALISABLE = /^Request message serialization failure/;

/** A failure of our own making. */
export function ownOutcome({ code, details, reason }: LocalFailure, processed: Processed = "no"): Outcome {
  const progress = processed === "no" ? "no-pick" : "sent";
  const metadata = new Metadata();
  return { code, details, metadata, reason, origin: "local", processed, progress, isConnectionLoss: false };
}

/** The facts of a failed attempt, from its status or from the report that an interceptor below has put on it. */
export function outcomeOf(status: StatusObject, evidence: Evidence): Outcome {
  if (isReported(status)) return reported(status, evidence);
  if (status.code === Status.INTERNAL && UNSERIALISABLE.test(status.details)) {
    return ownOutcome({ ...status, reason: "CANCELLED" }, "maybe");
  }
  return classify(status, evidence);
}

function reported(
  status: StatusObject & Pick<Outcome, "reason" | "origin" | "processed">,
  evidence: Evidence,
) {
  const { code, details, metadata, origin, processed } = status;
  // Whoever waits below knows one deadline only, which may be the attempt's.
  const isTimeout = status.reason === "DEADLINE_EXCEEDED" && evidence.isAttemptLimited;
  const reason: Reason = isTimeout && evidence.isDeadlineDue ? "ATTEMPT_TIMEOUT" : status.reason;
  const progress = processed === "no" ? "no-pick" : "sent";
  const isConnectionLoss = reason === "CONNECTION_LOST";
  return { code, details, metadata, reason, origin, processed, progress, isConnectionLoss } as const;
}
