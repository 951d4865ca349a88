import { Metadata, status as Status, type StatusObject } from "@grpc/grpc-js";
import { AttemptTrail } from "../../call/index.js";
import {
  type FailureReport,
  type Outcome,
  type Processed,
  type Reason,
  type ReportedStatus,
  reportedStatus,
  saidBy,
} from "../../core/index.js";

/** A failure of our own making. */
export interface LocalFailure {
  readonly code: Status;
  readonly reason: Reason;
  /** One sentence with the numbers. */
  readonly details: string;
  /** Default "no": nothing was sent. */
  readonly processed?: Processed;
  /** Further fields for the caller's error. */
  readonly extra?: { readonly retryAt?: Date };
}

/** The status of a failure of our own making, with the same report on it as the channel's. */
export function localFailure(method: string, failure: LocalFailure, elapsedMs: number): ReportedStatus {
  const { code, reason, details, processed = "no", extra = {} } = failure;
  const status: StatusObject = { code, details, metadata: new Metadata(), ...extra };
  return reported(method, status, { reason, origin: "local", processed }, elapsedMs);
}

/** Puts the report on a status that has none. */
export function reported(
  method: string,
  status: StatusObject,
  facts: Pick<Outcome, "reason" | "origin" | "processed">,
  elapsedMs: number,
): ReportedStatus {
  const outcome: Outcome = { ...status, ...facts, progress: "sent", isConnectionLoss: false };
  const sentence = new AttemptTrail().explain(method.replace(/^\//, ""), outcome, elapsedMs);
  // Nobody counts attempts here, and what may have run was one.
  const explanation = sentence.replace(" after 0 attempts in ", " in ");
  return reportedStatus(status, { ...facts, attempts: [], explanation });
}

/** True for a status that carries a report already: from the channel, or from an interceptor below. */
export function isReported(status: StatusObject): status is StatusObject & FailureReport {
  return "reason" in status && "origin" in status && "processed" in status;
}

/** The caller ended a call that was not sent, or not sent again. */
export function cancelFailure(code: Status, details: string): LocalFailure {
  return { code, reason: code === Status.DEADLINE_EXCEEDED ? "DEADLINE_EXCEEDED" : "CANCELLED", details };
}

/** An interceptor below threw as the call began, or the channel did, which means that it was closed. */
export function thrownFailure(error: unknown): LocalFailure {
  const said = saidBy(error);
  if (said === "Channel has been shut down") {
    return { code: Status.CANCELLED, reason: "CLIENT_CLOSED", details: said };
  }
  const details = `an interceptor threw as the call began: ${said}`;
  return { code: Status.INTERNAL, reason: "CONFIG_INVALID", details };
}
