import { isInfrastructureFailure } from "../breaker/index.js";
import type { Outcome } from "../core/index.js";
import type { Incident } from "../pool/index.js";
import type { Attempt } from "./attempt.js";

/**
 * Tells breaker and connection how a failed attempt ended, once per incident.
 * @param answerMs how long the endpoint took; null where that says nothing
 * @param now monotonic ms
 * @returns what all failures of one connection loss or one silence share, or null
 */
export function settleAttempt(
  attempt: Attempt,
  outcome: Outcome,
  answerMs: number | null,
  now: number,
): Incident | null {
  const { slot, gate, isProbe } = attempt;
  const incident = incidentOf(attempt, outcome);
  // Without a pool nobody else notices a failed dial.
  const isDialFailure = !slot.isPooled && outcome.reason === "DIAL_FAILED";
  const verdict = isDialFailure ? "failure" : isInfrastructureFailure(outcome);
  // The pool counts a lost connection itself.
  const isCounted = incident?.isCounted === true || (outcome.isConnectionLoss && slot.isPooled);
  const isNeutral = verdict === "neutral" || (isCounted && !isProbe);
  if (isNeutral) gate.abandon(isProbe);
  else if (verdict === "success") {
    gate.succeed(isProbe, answerMs ?? undefined);
    slot.standing.succeeded(attempt.startedAt, attempt.answeredAt === undefined ? answerMs : null, now);
  } else {
    gate.fail(isProbe);
    // A probe's end concerns its breaker, whoever else has counted the event.
    if (!isCounted) slot.standing.failed(answerMs ?? 0, now);
    if (incident !== null) incident.isCounted = true;
  }
  return incident;
}

function incidentOf(attempt: Attempt, outcome: Outcome): Incident | null {
  if (outcome.isConnectionLoss) return attempt.slot.noteLoss();
  const isTimeout = outcome.reason === "ATTEMPT_TIMEOUT" || outcome.reason === "DEADLINE_EXCEEDED";
  return isTimeout && outcome.progress === "sent" ? attempt.noteTimeout() : null;
}
