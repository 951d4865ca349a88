import { status as Status } from "@grpc/grpc-js";
import type { LatencyWindow } from "../retry/index.js";
import { announceEnd } from "./announce.js";
import type { Attempt } from "./attempt.js";
import type { AttemptHistory, HistoryOwner } from "./attempt-history.js";
import { cancelled } from "./classify.js";
import { ownStatus } from "./own-outcomes.js";

/** A hedged call. */
export type LosingCall = HistoryOwner & { readonly history: AttemptHistory };

/** Cancels an attempt of a hedged call whose answer nobody waits for any more. It says nothing about its endpoint (R41). */
export function loseAttempt(call: LosingCall, attempt: Attempt, why: string, latency: LatencyWindow): void {
  // How long it took at least.
  const { now } = call.limits;
  latency.recordAtLeast(now - attempt.startedAt);
  attempt.slot.standing.latency.recordAtLeast(now - attempt.startedAt, now);
  const status = ownStatus(Status.CANCELLED, `cancelled: ${why}`);
  const outcome = cancelled(status, "CANCELLED", attempt.evidence(false, false));
  call.history.record(attempt, attempt.number, outcome, why);
  announceEnd(call, attempt, Status.CANCELLED);
  attempt.cancel(Status.CANCELLED, status.details);
}
