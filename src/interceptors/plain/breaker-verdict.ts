import { status as Status, type StatusObject } from "@grpc/grpc-js";
import { isInfrastructureFailure } from "../../breaker/index.js";
import { classify, type Evidence } from "../../call/index.js";
import type { Outcome, Reason } from "../../core/index.js";
import { isReported } from "./local-failure.js";

/** A lost connection is a failure that all of its calls tell of. */
export type Verdict = "success" | "failure" | "loss" | "neutral";

/** An interceptor below kept the call back: nobody was asked. */
const KEPT_BACK: ReadonlySet<Reason> = new Set(["CIRCUIT_OPEN", "OVERLOADED", "CONFIG_INVALID"]);

/** grpc-js's words, beneath the interceptors, for a serializer of the user that threw. */
const UNSERIALIZED = /^Request message serialization failure/;

/** What the end of a call says about its target, by the rule of the channel's breakers (design decision 7). */
export function verdictOf(
  status: StatusObject,
  evidence: Evidence,
  cancelledWith: { readonly code: Status } | null,
): Verdict {
  if (cancelledWith !== null && cancelledWith.code === status.code) {
    // Callers cancel with CANCELLED; an interceptor above that limits attempts says so.
    return status.code === Status.DEADLINE_EXCEEDED ? "failure" : "neutral";
  }
  if (status.code === Status.INTERNAL && UNSERIALIZED.test(status.details)) return "neutral";
  const outcome = isReported(status) ? reportedOutcome(status) : classify(status, evidence);
  if (outcome.isConnectionLoss) return "loss";
  // Where the client has one channel for the whole target, that it cannot connect is what there is to say about it.
  const isDown = outcome.reason === "DIAL_FAILED" || outcome.reason === "NO_READY_ENDPOINT";
  return isDown && outcome.code === Status.UNAVAILABLE ? "failure" : isInfrastructureFailure(outcome);
}

function reportedOutcome(status: StatusObject & Pick<Outcome, "reason" | "origin" | "processed">): Outcome {
  const isConnectionLoss = status.reason === "CONNECTION_LOST";
  return { ...status, progress: KEPT_BACK.has(status.reason) ? "no-pick" : "sent", isConnectionLoss };
}
