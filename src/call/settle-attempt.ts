import { isInfrastructureFailure } from "../breaker/index.js";
import type { Outcome } from "../core/index.js";
import type { Incident } from "../pool/index.js";
import type { Attempt } from "./attempt.js";

/**
 * Tells breaker and connection how a failed attempt ended, once per incident.
 * @param now monotonic ms
 * @returns what all failures of one connection loss or one silence share, or null
 */
export function settleAttempt(attempt: Attempt, outcome: Outcome, now: number): Incident | null {
  const { slot, gate, isProbe } = attempt;
  const incident = incidentOf(attempt, outcome);
  // Without a pool nobody else notices a failed dial.
  const isDialFailure = !slot.isPooled && outcome.reason === "DIAL_FAILED";
  const verdict = isDialFailure ? "failure" : isInfrastructureFailure(outcome);
  // The pool counts a lost connection itself.
  const isCounted = incident?.isCounted === true || (outcome.isConnectionLoss && slot.isPooled);
  const isNeutral = verdict === "neutral" || (isCounted && !isProbe);
  const ms = now - attempt.startedAt;
  if (isNeutral) gate.abandon(isProbe);
  else if (verdict === "success") {
    gate.succeed(isProbe, ms);
    slot.standing.succeeded(attempt.startedAt, ms, now);
  } else {
    gate.fail(isProbe);
    slot.standing.failed(ms, now);
    if (incident !== null) incident.isCounted = true;
  }
  return incident;
}

function incidentOf(attempt: Attempt, outcome: Outcome): Incident | null {
  if (outcome.isConnectionLoss) return attempt.slot.noteLoss();
  const isTimeout = outcome.reason === "ATTEMPT_TIMEOUT" || outcome.reason === "DEADLINE_EXCEEDED";
  return isTimeout && outcome.progress === "sent" ? attempt.noteTimeout() : null;
}
