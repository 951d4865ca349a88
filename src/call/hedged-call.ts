import type { Metadata, status as Status, StatusObject } from "@grpc/grpc-js";
import type { Outcome } from "../core/index.js";
import type { Incident, PickFailure, Slot } from "../pool/index.js";
import { HedgePlan, type HedgingPolicy } from "../retry/index.js";
import { announceEnd, announceHedge } from "./announce.js";
import type { Attempt } from "./attempt.js";
import type { CallEnv } from "./call-env.js";
import type { CallLimits } from "./call-limits.js";
import { refreshRefused } from "./fresh-credentials.js";
import { HedgeRace } from "./hedge-race.js";
import { HedgeTimer } from "./hedge-timer.js";
import { loseAttempt } from "./lose-attempt.js";
import type { MethodPolicy } from "./method-policy.js";
import { deadlineInBackoff, deadlineInQueue, unavailable } from "./own-outcomes.js";
import { QueueWait } from "./queue-wait.js";
import { ResilientCall } from "./resilient-call.js";
import { settleAttempt } from "./settle-attempt.js";
import { TriedEndpoints } from "./tried-endpoints.js";

const LOST_RACE = "another attempt of the call was answered first";

/**
 * A call whose further attempts start before the first has failed (gRFC A6, hedging; R32-R41). The first answer wins;
 * nothing of the others reaches the application, and they say nothing about their endpoints.
 */
export class HedgedCall extends ResilientCall {
  readonly #plan: HedgePlan;
  /** R40: the next attempt goes elsewhere while there is an elsewhere. */
  readonly #used = new TriedEndpoints();
  readonly #race = new HedgeRace();
  /** The attempt that the caller sees, or the only one that can still be completed; no other is started. */
  #only: Attempt | null = null;
  readonly #timer: HedgeTimer;
  /** Attempts that are due and wait for an endpoint. */
  #toPick = 0;
  readonly #wait = new QueueWait(this, () => this.#onQueueTimeout());
  #lastFailure: Outcome | null = null;

  constructor(
    env: CallEnv,
    policy: MethodPolicy,
    limits: CallLimits,
    private readonly hedging: HedgingPolicy,
  ) {
    super(env, policy, limits);
    this.#plan = new HedgePlan(hedging, env.throttle);
    this.#timer = new HedgeTimer(this, this.#plan, () => this.#onTimer());
  }

  protected get maxAttempts(): number {
    return this.hedging.options.maxAttempts;
  }

  /** R38: what the application writes goes to every attempt. */
  protected pumpAttempts(): void {
    for (const attempt of this.#race.all) attempt.pump();
  }

  protected readAttempts(): void {
    for (const attempt of this.#race.all) attempt.startRead();
  }

  protected proceed(): void {
    this.#plan.begin(this.limits.now);
    this.#send();
    this.#sendDue();
  }

  protected pickQueued(): boolean {
    while (this.#toPick > 0) {
      const result = this.pickSlot(this.made === 0 ? null : this.#used);
      if (result === "queue") return false;
      this.#toPick--;
      this.limits.readClock();
      this.#plan.startedLate(this.limits.now);
      this.#go(result);
    }
    this.#wait.leave();
    this.#sendDue();
    return this.#toPick === 0;
  }

  /** R17: the attempt that got furthest goes on alone. */
  protected onOverflow(): void {
    const { furthest } = this.#race;
    // Between two attempts: the next one is sent, and is the last.
    if (furthest !== null) this.#settleOn(furthest, "the request no longer fits into the retry buffer");
  }

  onAttemptHeaders(attempt: Attempt, metadata: Metadata): void {
    this.noteHeaders(attempt);
    if (!this.#race.has(attempt) || this.ending !== null) return;
    this.#win(attempt);
    this.handOverHeaders(metadata, attempt.slot.isPooled);
  }

  override onAttemptMessage(attempt: Attempt, message: Buffer): void {
    if (this.#only === attempt) super.onAttemptMessage(attempt, message);
  }

  protected onAnswered(attempt: Attempt, status: StatusObject): void {
    if (!this.#race.has(attempt)) return attempt.slot.gate.abandon(attempt.isProbe);
    if (!attempt.hasHeaders) this.#win(attempt);
    this.#race.take(attempt);
    this.succeed(attempt, status);
  }

  protected onFailed(attempt: Attempt, status: StatusObject): void {
    // R41: a loser that was cancelled says nothing about its endpoint.
    if (!this.#race.take(attempt)) return attempt.slot.gate.abandon(attempt.isProbe);
    const outcome = this.outcomeOf(attempt, status);
    const incident = settleAttempt(attempt, outcome);
    refreshRefused(attempt, outcome, this.credentials);
    announceEnd(this, attempt, outcome.code);
    if (this.ending === null) return this.#decide(attempt, outcome, incident);
    this.history.record(attempt, attempt.number, outcome, "");
    if (this.#race.size === 0) this.finish(outcome);
  }

  protected cancelAttempts(code: Status, details: string): boolean {
    const { all } = this.#race;
    for (const attempt of all) attempt.cancel(code, details);
    return all.length > 0;
  }

  protected leaveWaits(): void {
    this.limits.readClock();
    this.#timer.cancel();
    this.#toPick = 0;
    this.#wait.leave();
  }

  /** One more attempt, now or as soon as there is an endpoint for it. */
  #send(): void {
    const result = this.pickSlot(this.made === 0 ? null : this.#used);
    if (result !== "queue") return this.#go(result);
    this.#toPick++;
    this.#wait.enter(this.transport.queue);
  }

  #go(result: Slot | PickFailure): void {
    if ("kind" in result) {
      this.countAttempt();
      return this.#decide(null, unavailable(result.details, result.reason), null);
    }
    const attempt = this.newAttempt(result);
    this.#used.add(result.address);
    if (this.#race.size > 0) {
      this.env.counters.hedges++;
      announceHedge(this, attempt.number, this.#race.size);
    }
    this.#race.add(attempt);
    const failure = this.startAttempt(attempt);
    if (failure !== null) {
      this.#race.take(attempt);
      return this.#decide(attempt, failure, null);
    }
    // A request that is not kept whole can be sent once only (R16).
    if (!this.outbox.isReplayable && this.#only === null) this.onOverflow();
  }

  #decide(attempt: Attempt | null, outcome: Outcome, incident: Incident | null): void {
    this.#lastFailure = outcome;
    const number = attempt?.number ?? this.made;
    if (attempt !== null && attempt === this.#only) {
      const why = this.#plan.onCommittedFailure(outcome, incident, attempt.hasHeaders);
      this.history.record(attempt, number, outcome, why);
      return this.#giveUp(outcome, number);
    }
    const others = this.#race.size + this.#toPick + this.#timer.dueNow;
    const decision = this.#plan.onFailure(outcome, this.limits.now, others, incident);
    this.history.record(attempt, number, outcome, decision.why);
    if (decision.kind === "deliver") {
      this.history.isThrottled = decision.isThrottled;
      return this.#giveUp(outcome, number);
    }
    if (decision.kind === "transparent") {
      this.counted--;
      this.env.counters.transparentRetries++;
    }
    if (decision.kind !== "wait") this.#timer.add(decision.kind === "transparent");
    this.#timer.arm(this.#toPick > 0);
  }

  /** This failure is the call's. */
  #giveUp(outcome: Outcome, number: number): void {
    this.leaveWaits();
    for (const other of this.#race.all) this.#lose(other, `attempt ${number} has failed for good`);
    this.finish(outcome);
  }

  /** The first answer: the caller sees this attempt from now on (R35). */
  #win(attempt: Attempt): void {
    this.leaveWaits();
    this.hedging.latency.record(this.limits.now - attempt.startedAt);
    this.#settleOn(attempt, LOST_RACE);
    this.outbox.stopReplay();
    this.outbox.forgetBefore(attempt.sentCount);
  }

  #settleOn(attempt: Attempt, why: string): void {
    this.leaveWaits();
    this.#plan.stop();
    this.#only = attempt;
    for (const other of this.#race.all) if (other !== attempt) this.#lose(other, why);
  }

  #lose(attempt: Attempt, why: string): void {
    if (this.#race.take(attempt)) loseAttempt(this, attempt, why, this.hedging.latency);
  }

  #onTimer(): void {
    this.limits.readClock();
    const due = this.#timer.takeDueNow();
    if (this.limits.isPassed) return this.#onDeadline();
    for (let sent = 0; sent < due && !this.isDone; sent++) this.#send();
    this.#sendDue();
  }

  /** R30: a hedge that the throttle refuses is dropped. */
  #sendDue(): void {
    while (!this.isDone && this.#toPick === 0 && this.#plan.dueAt <= this.limits.now) {
      const isAllowed = this.#plan.take(this.limits.now);
      this.env.noteThrottled(!isAllowed);
      if (isAllowed) this.#send();
    }
    if (this.isDone) return;
    this.#timer.arm(this.#toPick > 0);
    const isIdle = this.#race.size + this.#toPick + this.#timer.dueNow === 0;
    // R30: a refused attempt is not waited for; what has failed before it is the answer.
    if (isIdle && !this.#plan.isMoreDue && this.#lastFailure !== null) this.#giveUpRefused(this.#lastFailure);
  }

  #giveUpRefused(last: Outcome): void {
    this.history.isThrottled = true;
    this.finish(last);
  }

  /** Attempts in flight end by their own deadlines; without any, nothing else would end the call. */
  #onDeadline(): void {
    if (this.#race.size + this.#toPick > 0 || this.#lastFailure === null) return;
    this.leaveWaits();
    this.finish(deadlineInBackoff(this.#lastFailure));
  }

  #onQueueTimeout(): void {
    this.leaveWaits();
    if (this.#race.size === 0) this.finish(deadlineInQueue(this.env.target, this.transport.missing));
  }
}
