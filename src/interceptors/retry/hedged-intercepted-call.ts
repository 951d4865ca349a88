import {
  type InterceptorOptions,
  type Metadata,
  type NextCall,
  status as Status,
  type StatusObject,
} from "@grpc/grpc-js";
import { deadlineInBackoff } from "../../call/index.js";
import type { Outcome, Timer } from "../../core/index.js";
import { HedgePlan, type HedgingPolicy } from "../../retry/index.js";
import { cancelFailure } from "../plain/local-failure.js";
import type { InterceptedAttempt } from "./intercepted-attempt.js";
import type { MethodTraits, RepeatEnv } from "./repeat-env.js";
import { RepeatedCall } from "./repeated-call.js";

const LOST_RACE = "another attempt of the call was answered first";

/**
 * A call whose further attempts start before the first has failed (gRFC A6, hedging; R32-R41). The first answer wins;
 * nothing of the others reaches the application.
 */
export class HedgedInterceptedCall extends RepeatedCall {
  readonly #plan: HedgePlan;
  readonly #race: InterceptedAttempt[] = [];
  /** The attempt that the caller sees, or the only one that can still be completed; no other is started. */
  #only: InterceptedAttempt | null = null;
  #timer: Timer | null = null;
  /** Attempts that follow a failure, and start a turn later, whatever the plan says. */
  #dueNow = 0;
  #last: Outcome | null = null;
  #lastStatus: StatusObject | null = null;
  #lastStartAt = 0;

  constructor(
    env: RepeatEnv,
    options: InterceptorOptions,
    nextCall: NextCall,
    traits: MethodTraits,
    private readonly policy: HedgingPolicy,
  ) {
    super(env, options, nextCall, traits);
    this.#plan = new HedgePlan(policy, env.throttle);
  }

  /** Its attempts run side by side, so none has to leave time for the next. */
  protected get attemptsInTurn(): number {
    return 1;
  }

  protected get inFlight(): readonly InterceptedAttempt[] {
    return [...this.#race];
  }

  protected begin(): void {
    this.#plan.begin(this.#now);
    this.#send();
    this.#sendDue();
  }

  protected leaveWaits(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#dueNow = 0;
  }

  protected onDeadline(): void {
    if (this.#race.length > 0 || this.#last === null) return;
    this.leaveWaits();
    this.finish(deadlineInBackoff(this.#last));
  }

  /** R17: the attempt that got furthest goes on alone; between two attempts, the next one is sent and is the last. */
  protected onOverflow(): void {
    const furthest = this.#race.reduce<InterceptedAttempt | null>(
      (best, next) => (best === null || next.sentCount > best.sentCount ? next : best),
      null,
    );
    if (furthest !== null) this.#settleOn(furthest, "the request no longer fits into the buffer");
  }

  onAttemptHeaders(attempt: InterceptedAttempt, metadata: Metadata): void {
    this.#win(attempt);
    this.deliverHeaders(metadata);
  }

  onAttemptMessage(attempt: InterceptedAttempt, message: unknown): void {
    if (attempt !== this.#only) this.#win(attempt);
    this.deliverMessage(message);
  }

  protected onAnswered(attempt: InterceptedAttempt): void {
    if (attempt !== this.#only) this.#win(attempt);
    this.forget(attempt);
  }

  protected forget(attempt: InterceptedAttempt): void {
    const at = this.#race.indexOf(attempt);
    if (at >= 0) this.#race.splice(at, 1);
  }

  protected onFailed(attempt: InterceptedAttempt, status: StatusObject, outcome: Outcome): void {
    this.forget(attempt);
    this.#last = outcome;
    this.#lastStatus = status;
    const { story } = this;
    const incident = this.incidentOf(attempt, outcome);
    if (attempt === this.#only) {
      const hasAnswer = attempt.hasHeaders || attempt.hasMessage;
      story.record(attempt, outcome, this.#plan.onCommittedFailure(outcome, incident, hasAnswer));
      return this.#giveUp(attempt, status, outcome);
    }
    const others = { inFlight: this.#race.length, due: this.#dueNow };
    const decision = this.#plan.onFailure(outcome, this.#now, others, incident);
    story.record(attempt, outcome, decision.why);
    if (decision.kind === "deliver") {
      story.isThrottled = decision.isThrottled;
      return this.#giveUp(attempt, status, outcome);
    }
    if (this.isPassed) return this.onDeadline();
    // R37: those in flight may finish; no other is sent.
    if (this.#plan.isStopped) this.leaveWaits();
    if (decision.kind === "transparent") this.counted--;
    // A turn later: a failure that repeats itself at once would starve timers and sockets.
    if (decision.kind !== "wait") this.#dueNow++;
    this.#arm();
  }

  get #now(): number {
    return this.env.clock.now();
  }

  #send(): void {
    const attempt = this.newAttempt();
    if (attempt.number > 1) {
      this.env.log.attempt(this.method, attempt.number, this.#now - this.#lastStartAt, this.#last);
    }
    this.#lastStartAt = this.#now;
    this.#race.push(attempt);
    this.launch(attempt);
    // A request that is not kept whole can be sent once only (R16).
    if (!this.isDone && !this.buffer.isReplayable && this.#only === null) this.onOverflow();
  }

  /** R30: a hedge that the throttle refuses is dropped. */
  #sendDue(): void {
    let isRefused = false;
    while (!this.isDone && this.#plan.dueAt <= this.#now) {
      isRefused = !this.#plan.take(this.#now);
      if (!isRefused) this.#send();
    }
    if (this.isDone) return;
    const isIdle = this.#race.length + this.#dueNow === 0;
    if (!isIdle || !isRefused || this.#last === null) return this.#arm();
    // Nothing waits for tokens: what has failed before the refused attempt is the answer.
    this.story.isThrottled = true;
    this.leaveWaits();
    this.env.log.exhausted(this.method, this.made, this.#last);
    this.finish(this.#last, this.#lastStatus);
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const waitMs = this.#dueNow > 0 ? 0 : this.#plan.dueAt - this.#now;
    if (waitMs !== Number.POSITIVE_INFINITY) this.#timer = this.setTimer(() => this.#onTimer(), waitMs);
  }

  #onTimer(): void {
    this.#timer = null;
    const due = this.#dueNow;
    this.#dueNow = 0;
    if (this.isPassed) return this.onDeadline();
    // The first of them may be all that can still be sent (R16).
    for (let sent = 0; sent < due && !this.isDone && this.#only === null; sent++) this.#send();
    this.#sendDue();
  }

  /** This failure is the call's. */
  #giveUp(attempt: InterceptedAttempt, status: StatusObject, outcome: Outcome): void {
    this.leaveWaits();
    this.#loseOthers(attempt, `attempt ${attempt.number} has failed for good`);
    const isUsedUp = this.counted > 1 && this.counted >= this.policy.options.maxAttempts;
    if (isUsedUp || this.story.isThrottled) this.env.log.exhausted(this.method, this.made, outcome);
    this.finish(outcome, status, attempt);
  }

  /** The first answer: the caller sees this attempt from now on (R35). */
  #win(attempt: InterceptedAttempt): void {
    this.policy.latency.record(this.#now - attempt.facts.startedAt);
    this.#settleOn(attempt, LOST_RACE);
  }

  #settleOn(attempt: InterceptedAttempt, why: string): void {
    this.leaveWaits();
    this.#plan.stop();
    this.#only = attempt;
    this.commitTo(attempt);
    this.#loseOthers(attempt, why);
  }

  /** R41: how long they took at least is all that they tell. */
  #loseOthers(kept: InterceptedAttempt, why: string): void {
    for (const other of this.inFlight) {
      if (other === kept) continue;
      this.policy.latency.recordAtLeast(this.#now - other.facts.startedAt);
      this.lose(other, cancelFailure(Status.CANCELLED, `cancelled: ${why}`), why);
    }
  }
}
