import { status } from "@grpc/grpc-js";
import type { Outcome } from "../core/index.js";
import type { Backoff } from "./backoff.js";
import { FINAL_REASONS } from "./final-reasons.js";
import { PUSHBACK_KEY, type Pushback, parsePushback } from "./pushback.js";
import { statusName } from "./status-code.js";
import type { RetryThrottle } from "./throttle.js";

/** What the options of a method say, ready for use. */
export interface RetryPolicy {
  /** Attempts per call, the first included; 1 is no policy (R8): only transparent retries are made. */
  readonly maxAttempts: number;
  /** Status numbers worth another attempt. */
  readonly retryableCodes: readonly number[];
  readonly backoff: Backoff;
}

/** How far a call got, all its attempts together. */
export interface RetryProgress {
  /** Attempts made so far that count against maxAttempts, the one that just ended included. */
  countedAttempts: number;
  /** Retries since the last pushback, or since the start (R26). */
  retriesSincePushback: number;
  /** Transparent retries made; of refused streams only one is allowed per call (R21). */
  transparentRetries: { refused: number };
  /** Whether running the method twice is declared harmless. */
  isIdempotent: boolean;
  /** True when response headers arrived, so that the caller sees this attempt (R14). */
  isCommitted: boolean;
  /** True while the whole outgoing stream is still buffered (R15). */
  isReplayable: boolean;
}

/** What to do with an attempt that ended; `why` is the phrase for the attempt trail. */
export type RetryDecision =
  | {
      readonly kind: "deliver";
      readonly why: string;
      /** True when only the throttle stood in the way of a retry. */
      readonly isThrottled: boolean;
    }
  | { readonly kind: "transparent"; readonly why: string }
  | {
      readonly kind: "retry";
      /** Wait before the retry, in milliseconds. */
      readonly delayMs: number;
      /** True when the server named the wait: the backoff starts anew after it (R26). */
      readonly isPushback: boolean;
      readonly why: string;
    };

const SUCCEEDED: RetryDecision = Object.freeze({
  kind: "deliver",
  why: "delivered: the attempt succeeded",
  isThrottled: false,
});
const UNSENT: RetryDecision = Object.freeze({
  kind: "transparent",
  why: "retried at once: the attempt never left the client",
});
const REFUSED: RetryDecision = Object.freeze({
  kind: "transparent",
  why: "retried at once: the stream was refused before it reached the application",
});

/**
 * Decides what follows an attempt that ended, and records it on the throttle (gRFC A6; R14, R21-R29; order of C26).
 * @param throttle the bucket of the target, or null when throttling is off.
 * @param incident what all failures of one connection loss or suspicion share, or null.
 */
export function decideRetry(
  policy: RetryPolicy,
  progress: Readonly<RetryProgress>,
  outcome: Outcome,
  throttle: RetryThrottle | null,
  incident: object | null,
): RetryDecision {
  if (outcome.code === status.OK) {
    throttle?.recordSuccess();
    return SUCCEEDED;
  }
  const finality = whyFinal(progress, outcome);
  if (finality === null && outcome.progress === "unsent") return UNSENT;
  if (finality === null && outcome.progress === "refused" && progress.transparentRetries.refused === 0) {
    return REFUSED;
  }
  const pushback = parsePushback(outcome.metadata.get(PUSHBACK_KEY));
  // Before the check: a failure may be the one that empties the bucket too far for its own retry (R29).
  if (costsToken(policy, progress, outcome, pushback)) throttle?.recordFailure(incident);
  const obstacle = finality ?? whyNotByPolicy(policy, progress, outcome, pushback);
  const throttled = obstacle === null ? whyThrottled(throttle) : null;
  const why = obstacle ?? throttled;
  if (why !== null) return { kind: "deliver", why: `not retried: ${why}`, isThrottled: throttled !== null };
  return retryAfter(policy, progress, pushback);
}

function retryAfter(
  policy: RetryPolicy,
  progress: Readonly<RetryProgress>,
  pushback: Pushback,
): RetryDecision {
  if (pushback.kind === "after") {
    const why = `retried after ${pushback.ms} ms, as the server's pushback asked`;
    return { kind: "retry", delayMs: pushback.ms, isPushback: true, why };
  }
  const delayMs = policy.backoff.delayMs(progress.retriesSincePushback + 1);
  return { kind: "retry", delayMs, isPushback: false, why: `retried after ${Math.round(delayMs)} ms` };
}

/** Why no attempt of any kind may follow, transparent ones included; null when one may. */
function whyFinal(progress: Readonly<RetryProgress>, outcome: Outcome): string | null {
  if (progress.isCommitted) return "the response had begun, which commits the call to this attempt";
  if (!progress.isReplayable) return "the request is no longer in the retry buffer";
  if (outcome.progress === "dropped") return "the load-balancing policy dropped the call";
  return FINAL_REASONS.get(outcome.reason) ?? null;
}

function whyNotByPolicy(
  policy: RetryPolicy,
  progress: Readonly<RetryProgress>,
  outcome: Outcome,
  pushback: Pushback,
): string | null {
  if (!isRetryable(policy, progress, outcome)) {
    // Declaring the method idempotent is what would help here, not another list of codes.
    if (outcome.reason === "ATTEMPT_TIMEOUT" && !progress.isIdempotent) return whyUnsafe(outcome);
    return `${statusName(outcome.code)} is not a retryable code`;
  }
  if (!isSafe(progress, outcome)) return whyUnsafe(outcome);
  if (pushback.kind === "stop") return "the server's pushback forbids it";
  if (progress.countedAttempts >= policy.maxAttempts) {
    return `${progress.countedAttempts} of ${policy.maxAttempts} attempts used`;
  }
  return null;
}

function whyUnsafe(outcome: Outcome): string {
  const doubt = { no: "", maybe: " and the server may have run it", yes: " and the server has run it" };
  return `the method is not declared idempotent${doubt[outcome.processed]}`;
}

function whyThrottled(throttle: RetryThrottle | null): string | null {
  if (throttle === null || throttle.canRetry()) return null;
  return `the retry throttle is at ${throttle.tokens} of ${throttle.maxTokens} tokens`;
}

function isRetryable(policy: RetryPolicy, progress: Readonly<RetryProgress>, outcome: Outcome): boolean {
  if (FINAL_REASONS.has(outcome.reason)) return false;
  if (policy.retryableCodes.includes(outcome.code)) return true;
  return outcome.reason === "ATTEMPT_TIMEOUT" && progress.isIdempotent;
}

/** True when a repeat cannot run the method a second time, or may. */
function isSafe(progress: Readonly<RetryProgress>, outcome: Outcome): boolean {
  return progress.isIdempotent || outcome.processed === "no";
}

/**
 * R28, narrowed by design decision 6: failures of calls that may not be retried, were dropped or never left the client
 * cost nothing; a committed or last attempt costs like any other.
 */
function costsToken(
  policy: RetryPolicy,
  progress: Readonly<RetryProgress>,
  outcome: Outcome,
  pushback: Pushback,
): boolean {
  if (policy.maxAttempts <= 1 || !isSafe(progress, outcome)) return false;
  // No server was asked, so no server can be overloaded by asking again.
  if (outcome.progress === "unsent" || outcome.progress === "dropped" || outcome.progress === "no-pick")
    return false;
  return pushback.kind === "stop" || isRetryable(policy, progress, outcome);
}
