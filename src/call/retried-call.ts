import type { Metadata, status as Status, StatusObject } from "@grpc/grpc-js";
import type { Outcome, Timer } from "../core/index.js";
import type { Incident, PickFailure, Slot } from "../pool/index.js";
import { decideRetry, type RetryDecision, type RetryPolicy, type RetryProgress } from "../retry/index.js";
import { announceEnd, announceRetry } from "./announce.js";
import type { Attempt } from "./attempt.js";
import type { CallEnv } from "./call-env.js";
import type { CallLimits } from "./call-limits.js";
import { refreshRefused } from "./fresh-credentials.js";
import type { MethodPolicy } from "./method-policy.js";
import { deadlineInBackoff, deadlineInQueue, pickFailed } from "./own-outcomes.js";
import { ResilientCall } from "./resilient-call.js";
import { settleAttempt } from "./settle-attempt.js";
import { transparentDelayMs } from "./transparent-delay.js";

/** Once per call, however many attempts there may be: what was refused is the credentials, not the attempt. */
const FRESH_CREDENTIALS: RetryDecision = {
  kind: "retry",
  delayMs: 0,
  isPushback: false,
  why: "repeated once with fresh credentials",
};

type Phase = { readonly kind: "queued" | "backoff"; readonly timer: Timer } | Attempt | null;

/** A call whose next attempt is made when the last one has failed. */
export class RetriedCall extends ResilientCall {
  #phase: Phase = null;
  readonly #retry: RetryPolicy;
  /** Made at the first failure. */
  #progress: RetryProgress | null = null;

  constructor(env: CallEnv, policy: MethodPolicy, limits: CallLimits) {
    super(env, policy, limits);
    const { retry } = limits.settings;
    this.#retry = retry === undefined ? policy.retry : env.policies.overridden(policy, retry);
  }

  protected get maxAttempts(): number {
    return this.#retry.maxAttempts;
  }

  /**
   * True where a single answer is held back until its status came, so that a connection that ends, or falls silent,
   * in between costs no idempotent call. gRFC A6 commits at the headers, because by then the application has seen
   * them; here it has not. A failure that the server itself reports after headers is final as in A6.
   */
  private get holdsAnswer(): boolean {
    return this.isIdempotent && !this.kind.responseStream && this.#retry.maxAttempts > 1;
  }

  private get running(): Attempt | null {
    return this.#phase !== null && this.#phase.kind === "running" ? this.#phase : null;
  }

  protected pumpAttempts(): void {
    this.running?.pump();
  }

  protected readAttempts(): void {
    this.running?.startRead();
  }

  /** The running attempt goes on, and is the last (R16). */
  protected onOverflow(): void {}

  protected proceed(): void {
    const result = this.pickSlot(this.pastFailures?.tried ?? null);
    // A picker of the user's may have ended the call.
    if (this.isDone) return;
    if (result !== "queue") return this.go(result);
    this.#phase = { kind: "queued", timer: this.limits.untilDeadline(() => this.onQueueTimeout()) };
    this.transport.queue.add(this);
  }

  protected pickQueued(): boolean {
    if (this.#phase?.kind !== "queued") return true;
    const result = this.pickSlot(this.pastFailures?.tried ?? null);
    if (this.isDone) return true;
    if (result === "queue") return false;
    this.leaveWaits();
    this.go(result);
    return true;
  }

  onAttemptHeaders(attempt: Attempt, metadata: Metadata): void {
    this.noteHeaders(attempt);
    // While the request is open its writer may wait for the headers.
    const isComplete = this.outbox.isHalfClosed && this.outbox.isReplayable;
    if (this.holdsAnswer && isComplete) return this.hold(metadata);
    // The caller sees this attempt from now on (R14): nothing is kept for another.
    this.outbox.stopReplay();
    this.outbox.forgetBefore(attempt.writtenCount);
    this.handOverHeaders(metadata, attempt.slot.isPooled);
  }

  protected onAnswered(attempt: Attempt, status: StatusObject): void {
    this.#phase = null;
    this.succeed(attempt, status);
  }

  protected onFailed(attempt: Attempt, status: StatusObject): void {
    const outcome = this.outcomeOf(attempt, status);
    const incident = settleAttempt(attempt, outcome, this.answerMs(attempt), this.limits.now);
    announceEnd(this, attempt, outcome.code);
    this.decide(attempt, outcome, incident);
  }

  protected cancelAttempts(code: Status, details: string): boolean {
    const running = this.running;
    running?.cancel(code, details);
    return running !== null;
  }

  protected leaveWaits(): void {
    this.limits.readClock();
    const phase = this.#phase;
    if (phase === null || phase.kind === "running") return;
    if (phase.kind === "queued") this.transport.queue.remove(this);
    phase.timer.cancel();
    this.#phase = null;
  }

  private go(result: Slot | PickFailure): void {
    if ("kind" in result) {
      this.countAttempt();
      return this.decide(null, pickFailed(result), null);
    }
    const attempt = this.newAttempt(result);
    // Or a listener to the pick.
    if (this.isDone) return attempt.gate.abandon(attempt.isProbe);
    this.#phase = attempt;
    const failure = this.startAttempt(attempt);
    if (failure !== null) this.decide(attempt, failure, null);
  }

  /** What follows an attempt that ended, or a pick that found nothing. */
  private decide(attempt: Attempt | null, outcome: Outcome, incident: Incident | null): void {
    this.#phase = null;
    const progress = this.progressAt(attempt, outcome);
    const decision = this.mayRepeatWithOthers(attempt, outcome, progress)
      ? FRESH_CREDENTIALS
      : decideRetry(this.#retry, progress, outcome, this.env.throttle, incident);
    const { history } = this;
    history.record(attempt, this.made, outcome, decision.why);
    if (decision.kind === "deliver") {
      history.isThrottled = decision.isThrottled;
      if (decision.isThrottled) this.env.noteThrottled(true);
      return this.finish(outcome);
    }
    if (attempt !== null && decision !== FRESH_CREDENTIALS) history.avoid(attempt.slot.address);
    this.dropHeld();
    const delayMs = this.delayOf(decision, outcome, progress);
    const failed = { number: this.made, endpoint: attempt?.slot.address ?? null, outcome };
    announceRetry(this, failed, decision.kind === "retry" ? "policy" : "transparent", delayMs);
    // A timer even for "at once": a failure that repeats in the same turn would starve timers and sockets.
    const timer = this.setTimer(() => this.retryNow(outcome), Math.min(delayMs, this.limits.timeLeftMs));
    this.#phase = { kind: "backoff", timer };
  }

  /** R162: a server that does not accept the credentials may have run the call before it looked at them. */
  private mayRepeatWithOthers(attempt: Attempt | null, outcome: Outcome, progress: RetryProgress): boolean {
    if (attempt === null || !refreshRefused(attempt, outcome, this.credentials)) return false;
    if (this.history.hasFreshCredentials || !progress.isIdempotent) return false;
    this.history.hasFreshCredentials = true;
    return !progress.isCommitted && progress.isReplayable;
  }

  private progressAt(attempt: Attempt | null, outcome: Outcome): RetryProgress {
    const hasAnswer = attempt?.hasHeaders === true;
    this.#progress ??= {
      countedAttempts: 0,
      retriesSincePushback: 0,
      transparentRetries: { refused: 0 },
      isIdempotent: this.isIdempotent,
      isCommitted: false,
      isReplayable: true,
    };
    this.#progress.countedAttempts = this.counted;
    this.#progress.isCommitted = hasAnswer && (!this.holdsAnswer || outcome.origin === "remote");
    this.#progress.isReplayable = this.outbox.isReplayable;
    return this.#progress;
  }

  /** Counts the retry. @returns how long to wait for it, in ms */
  private delayOf(
    decision: Exclude<RetryDecision, { kind: "deliver" }>,
    outcome: Outcome,
    progress: RetryProgress,
  ): number {
    const { counters } = this.env;
    if (decision.kind === "retry") {
      progress.retriesSincePushback = decision.isPushback ? 0 : progress.retriesSincePushback + 1;
      counters.retries++;
      this.env.noteThrottled(false);
      return decision.delayMs;
    }
    this.history.transparent++;
    if (outcome.progress === "refused") progress.transparentRetries.refused++;
    counters.transparentRetries++;
    return transparentDelayMs(this.history.transparent);
  }

  private retryNow(last: Outcome): void {
    this.leaveWaits();
    if (!this.limits.isPassed) return this.proceed();
    this.finish(deadlineInBackoff(last));
  }

  private onQueueTimeout(): void {
    this.leaveWaits();
    this.finish(deadlineInQueue(this.env.target, this.transport.missing));
  }
}
