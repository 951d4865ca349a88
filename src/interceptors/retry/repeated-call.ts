import { type Metadata, status as Status, type StatusObject } from "@grpc/grpc-js";
import type { Outcome, Timer } from "../../core/index.js";
import { attemptLimitMs } from "../../retry/index.js";
import { plainEvidence } from "../plain/evidence.js";
import { cancelFailure, isReported, type LocalFailure, thrownFailure } from "../plain/local-failure.js";
import { deadlineOf } from "../plain/wait-limits.js";
import { type AttemptOwner, InterceptedAttempt } from "./intercepted-attempt.js";
import { limitedDeadline } from "./limited-deadline.js";
import { outcomeOf, ownOutcome } from "./own-ends.js";
import { RepeatedLife } from "./repeated-life.js";
import { isRepeatedBelow } from "./stacking.js";

/** Request header that tells a server how many counted attempts came before (gRFC A6; R42). */
const PREVIOUS_ATTEMPTS_KEY = "grpc-previous-rpc-attempts";

/** The attempts of a call. A subclass decides which there are, and which of them answers the call. */
export abstract class RepeatedCall extends RepeatedLife implements AttemptOwner {
  /** All attempts, transparent ones included. */
  protected made = 0;
  /** Attempts that count against `maxAttempts`. */
  protected counted = 0;

  /** How many attempts may follow each other, for the share of time that each of them has. */
  protected abstract readonly attemptsInTurn: number;
  abstract onAttemptHeaders(attempt: InterceptedAttempt, metadata: Metadata): void;
  /** A message arrived; the first one where there were no headers commits the call to the attempt. */
  abstract onAttemptMessage(attempt: InterceptedAttempt, message: unknown): void;
  protected abstract onAnswered(attempt: InterceptedAttempt): void;
  protected abstract onFailed(attempt: InterceptedAttempt, status: StatusObject, outcome: Outcome): void;
  /** The attempt ended without any of the above. */
  protected abstract forget(attempt: InterceptedAttempt): void;

  onAttemptStatus(attempt: InterceptedAttempt, status: StatusObject): void {
    if (status.code === Status.OK) {
      this.onAnswered(attempt);
      this.env.throttle?.recordSuccess();
      if (this.made > 1) this.env.log.succeeded(this.method, attempt.number);
      return this.succeed(attempt, status);
    }
    if (!isRepeatedBelow(status)) return this.onFailed(attempt, status, this.#outcomeOf(attempt, status));
    this.env.guard.noteBelow(this.method, isReported(status));
    this.forget(attempt);
    this.#endOthers(attempt);
    this.passOn(status, attempt);
  }

  protected loseAll(failure: LocalFailure): Outcome | null {
    const outcomes = this.inFlight.map((attempt) => this.lose(attempt, failure, ""));
    return outcomes.find(({ processed }) => processed === "yes") ?? outcomes[0] ?? null;
  }

  protected newAttempt(): InterceptedAttempt {
    const { options, buffer, env, made } = this;
    const { clock } = env;
    this.counted++;
    this.made++;
    const leftMs = deadlineOf(options) - clock.epoch();
    const callMs = leftMs + this.story.elapsedMs;
    const { attemptTimeoutMs } = this.traits;
    // Unlike on a channel of ours, which always has a deadline for these, a call without one has no default limit.
    const configuredMs = callMs === Number.POSITIVE_INFINITY ? (attemptTimeoutMs ?? null) : attemptTimeoutMs;
    const kind = options.method_definition;
    const limitMs = attemptLimitMs(configuredMs, kind, this.isIdempotent, this.attemptsInTurn, callMs);
    const isLimited = limitMs < leftMs;
    const limits = isLimited ? { deadline: limitedDeadline(options.deadline, clock.epoch() + limitMs) } : {};
    const facts = {
      options: { ...options, ...limits },
      number: made + 1,
      startedAt: clock.now(),
      isLimited,
      serial: env.losses.attemptStarted(),
    };
    const attempt = new InterceptedAttempt(facts, this, buffer);
    this.visible = attempt;
    return attempt;
  }

  /** Starts it. When something throws, that ends the call: a repeat would throw again (E46). */
  protected launch(attempt: InterceptedAttempt): void {
    // A copy, because interceptors below write to it.
    const metadata = this.metadata.clone();
    if (this.counted > 1) metadata.set(PREVIOUS_ATTEMPTS_KEY, String(this.counted - 1));
    try {
      attempt.start(this.nextCall, metadata, this.reads);
    } catch (error) {
      // It came out of the caller's own code, which has its status already.
      if (this.isDone) throw error;
      const outcome = ownOutcome(thrownFailure(error), attempt.below === null ? "no" : "maybe");
      this.story.record(attempt, outcome, "");
      attempt.drop(Status.CANCELLED, "The call could not be set up");
      this.forget(attempt);
      this.#endOthers(attempt);
      this.finish(outcome);
    }
  }

  /** The caller sees this attempt from now on (R14): nothing is kept for another. */
  protected commitTo(attempt: InterceptedAttempt): void {
    this.visible = attempt;
    this.buffer.stopReplay();
    this.buffer.forgetBefore(attempt.writtenCount);
  }

  /** What all failures of one lost connection share, for the throttle. */
  protected incidentOf(attempt: InterceptedAttempt, outcome: Outcome): object | null {
    return outcome.isConnectionLoss ? this.env.losses.incidentOf(attempt.facts.serial) : null;
  }

  /** Cancels an attempt whose answer nobody waits for any more. */
  protected lose(attempt: InterceptedAttempt, failure: LocalFailure, next: string): Outcome {
    const outcome = ownOutcome(failure, attempt.hasMessage ? "yes" : "maybe");
    this.story.record(attempt, outcome, next);
    this.forget(attempt);
    attempt.drop(failure.code, failure.details);
    return outcome;
  }

  /** A timer the caller awaits, which fires in the caller's context. */
  protected setTimer(callback: () => void, delayMs: number): Timer {
    return this.env.clock.setTimer(() => this.runInAsyncScope(callback), delayMs, { keepAlive: true });
  }

  #endOthers(ended: InterceptedAttempt): void {
    this.leaveWaits();
    const why = `attempt ${ended.number} has failed for good`;
    this.loseAll(cancelFailure(Status.CANCELLED, `cancelled: ${why}`));
  }

  #outcomeOf(attempt: InterceptedAttempt, status: StatusObject): Outcome {
    const { facts, hasHeaders, hasMessage } = attempt;
    const evidence = plainEvidence(facts.options, this.env.clock, hasHeaders, hasMessage);
    return outcomeOf(status, { ...evidence, isAttemptLimited: facts.isLimited });
  }
}
