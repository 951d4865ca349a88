import type { InterceptorOptions, Metadata, NextCall, StatusObject } from "@grpc/grpc-js";
import { deadlineInBackoff } from "../../call/index.js";
import type { Outcome, Timer } from "../../core/index.js";
import { decideRetry, type RetryDecision, type RetryPolicy, type RetryProgress } from "../../retry/index.js";
import type { InterceptedAttempt } from "./intercepted-attempt.js";
import type { MethodTraits, RepeatEnv } from "./repeat-env.js";
import { RepeatedCall } from "./repeated-call.js";

interface Backoff {
  readonly timer: Timer;
  readonly last: Outcome;
}

/** A call whose next attempt is made when the last one has failed. */
export class RetriedInterceptedCall extends RepeatedCall {
  #running: InterceptedAttempt | null = null;
  #backoff: Backoff | null = null;
  readonly #progress = { retriesSincePushback: 0, transparentRetries: { refused: 0 } };

  constructor(
    env: RepeatEnv,
    options: InterceptorOptions,
    nextCall: NextCall,
    traits: MethodTraits,
    private readonly policy: RetryPolicy,
  ) {
    super(env, options, nextCall, traits);
  }

  protected get attemptsInTurn(): number {
    return this.policy.maxAttempts;
  }

  protected get inFlight(): readonly InterceptedAttempt[] {
    return this.#running === null ? [] : [this.#running];
  }

  protected begin(): void {
    const attempt = this.newAttempt();
    this.#running = attempt;
    this.launch(attempt);
  }

  protected leaveWaits(): void {
    this.#backoff?.timer.cancel();
    this.#backoff = null;
  }

  /** R12: a retry that is pending dies at the deadline. */
  protected onDeadline(): void {
    if (this.#backoff === null) return;
    const { last } = this.#backoff;
    this.leaveWaits();
    this.finish(deadlineInBackoff(last));
  }

  /** The running attempt goes on, and is the last; so does one that is still to come (R16). */
  protected onOverflow(): void {}

  onAttemptHeaders(attempt: InterceptedAttempt, metadata: Metadata): void {
    this.commitTo(attempt);
    this.deliverHeaders(metadata);
  }

  onAttemptMessage(attempt: InterceptedAttempt, message: unknown): void {
    // Where an interceptor below answers without headers.
    if (!attempt.hasHeaders) this.commitTo(attempt);
    this.deliverMessage(message);
  }

  protected onAnswered(): void {
    this.#running = null;
  }

  protected forget(): void {
    this.#running = null;
  }

  protected onFailed(attempt: InterceptedAttempt, status: StatusObject, outcome: Outcome): void {
    this.#running = null;
    const { env, story } = this;
    const incident = this.incidentOf(attempt, outcome);
    const decision = decideRetry(this.policy, this.#progressAt(attempt), outcome, env.throttle, incident);
    story.record(attempt, outcome, decision.why);
    if (decision.kind === "deliver") {
      story.isThrottled = decision.isThrottled;
      this.#logExhausted(decision.isThrottled, outcome);
      return this.finish(outcome, status, attempt);
    }
    if (this.isPassed) return this.finish(deadlineInBackoff(outcome));
    const delayMs = this.#delayOf(decision);
    // A timer even for "at once": a failure that repeats in the same turn would starve timers and sockets.
    const timer = this.setTimer(() => this.#retryNow(delayMs, outcome), delayMs);
    this.#backoff = { timer, last: outcome };
  }

  #retryNow(delayMs: number, failed: Outcome): void {
    this.#backoff = null;
    // The timer of the deadline may be due, and late, in the same turn.
    if (this.isPassed) return this.finish(deadlineInBackoff(failed));
    this.env.log.attempt(this.method, this.made + 1, delayMs, failed);
    this.begin();
  }

  #progressAt(attempt: InterceptedAttempt): RetryProgress {
    return {
      ...this.#progress,
      countedAttempts: this.counted,
      isIdempotent: this.isIdempotent,
      isCommitted: attempt.hasHeaders || attempt.hasMessage,
      isReplayable: this.buffer.isReplayable,
    };
  }

  /** Counts the retry. @returns how long to wait for it, in ms */
  #delayOf(decision: Exclude<RetryDecision, { kind: "deliver" }>): number {
    if (decision.kind === "transparent") {
      // "Never left the client" is a failed pick on a channel that is not ours, so this one was refused.
      this.#progress.transparentRetries.refused++;
      this.counted--;
      return 0;
    }
    const { retriesSincePushback } = this.#progress;
    this.#progress.retriesSincePushback = decision.isPushback ? 0 : retriesSincePushback + 1;
    return decision.delayMs;
  }

  #logExhausted(isThrottled: boolean, outcome: Outcome): void {
    const isUsedUp = this.counted > 1 && this.counted >= this.policy.maxAttempts;
    if (isUsedUp || isThrottled) this.env.log.exhausted(this.method, this.made, outcome);
  }
}
