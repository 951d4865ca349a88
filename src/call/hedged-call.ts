import type { Metadata, status as Status, StatusObject } from "@grpc/grpc-js";
import type { Outcome } from "../core/index.js";
import type { Incident, PickFailure, Slot } from "../pool/index.js";
import { HedgePlan, type HedgingPolicy, lostTo } from "../retry/index.js";
import { announceEnd, announceHedge } from "./announce.js";
import type { Attempt } from "./attempt.js";
import type { CallEnv } from "./call-env.js";
import type { CallLimits } from "./call-limits.js";
import { FreshCredentials } from "./fresh-credentials.js";
import { HedgeRace } from "./hedge-race.js";
import { HedgeTimer } from "./hedge-timer.js";
import type { MethodPolicy } from "./method-policy.js";
import { deadlineInBackoff, deadlineInQueue, pickFailed } from "./own-outcomes.js";
import { QueueWait } from "./queue-wait.js";
import { ResilientCall } from "./resilient-call.js";
import { settleAttempt } from "./settle-attempt.js";
import { TriedEndpoints } from "./tried-endpoints.js";

/**
 * A call whose further attempts start before the first has failed (gRFC A6, hedging; R32-R41). The first answer wins;
 * nothing of the others reaches the application, and they say nothing about their endpoints.
 */
export class HedgedCall extends ResilientCall {
  readonly #plan: HedgePlan;
  /** R40: the next attempt goes elsewhere while there is an elsewhere. */
  readonly #used = new TriedEndpoints();
  readonly #race: HedgeRace;
  /** The attempt that the caller sees, or the only one that can still be completed; no other is started. */
  #only: Attempt | null = null;
  readonly #timer: HedgeTimer;
  /** Attempts that are due and wait for an endpoint. */
  readonly #queued = new QueueWait(this, () => this.#onDeadline());
  #lastFailure: Outcome | null = null;
  readonly #fresh = new FreshCredentials();

  constructor(
    env: CallEnv,
    policy: MethodPolicy,
    limits: CallLimits,
    private readonly hedging: HedgingPolicy,
  ) {
    super(env, policy, limits);
    this.#plan = new HedgePlan(hedging, env.throttle);
    this.#race = new HedgeRace(this, hedging.latency);
    this.#timer = new HedgeTimer(this, this.#plan, () => this.#onTimer());
  }

  /** Attempts overlap, so none of them has to leave time for the next: each has a limit only where one was configured. */
  protected readonly maxAttempts = 1;

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
    while (this.#queued.size > 0) {
      const result = this.pickSlot(this.made === 0 ? null : this.#used);
      if (result === "queue" || this.isDone) return this.isDone;
      this.#queued.leave();
      this.#plan.startedLate(this.limits.now);
      this.#go(result);
    }
    this.#sendDue();
    return this.#queued.size === 0;
  }

  /** R17: the attempt that got furthest goes on alone; between two attempts the next one is the last. */
  protected onOverflow(): void {
    const { furthest } = this.#race;
    if (furthest !== null) this.#settleOn(furthest, "the request no longer fits into the retry buffer");
  }

  onAttemptHeaders(attempt: Attempt, metadata: Metadata): void {
    if (!this.#race.has(attempt) || this.ending !== null) return;
    this.noteHeaders(attempt);
    this.#win(attempt);
    this.handOverHeaders(metadata, attempt.slot.isPooled);
  }

  override onAttemptMessage(attempt: Attempt, message: Buffer): void {
    if (this.#only === attempt) super.onAttemptMessage(attempt, message);
  }

  /** The last attempt has been silent for so long, and those before it for longer. */
  override onNoFirstResponse(afterMs: number): void {
    for (this.lastAttempt of this.#race.all) super.onNoFirstResponse(afterMs);
  }

  protected onAnswered(attempt: Attempt, status: StatusObject): void {
    if (!this.#race.has(attempt)) return attempt.gate.abandon(attempt.isProbe);
    if (!attempt.hasHeaders) this.#win(attempt);
    this.#race.take(attempt);
    this.succeed(attempt, status);
  }

  protected onFailed(attempt: Attempt, status: StatusObject): void {
    // R41: a loser that was cancelled says nothing about its endpoint.
    if (!this.#race.has(attempt)) return attempt.gate.abandon(attempt.isProbe);
    const outcome = this.outcomeOf(attempt, status);
    // Still in flight: a breaker that opens serves the queue, where this very call may stand.
    const incident = settleAttempt(attempt, outcome, this.answerMs(attempt), this.limits.now);
    this.#race.take(attempt);
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
    this.#queued.leaveAll();
  }

  /** One more attempt, now or as soon as there is an endpoint for it. */
  #send(): void {
    const result = this.pickSlot(this.made === 0 ? null : this.#used);
    if (this.isDone) return;
    if (result === "queue") this.#queued.enter(this.transport.queue);
    else this.#go(result);
  }

  #go(result: Slot | PickFailure): void {
    if ("kind" in result) {
      this.countAttempt();
      const outcome = pickFailed(result);
      if (this.#race.size === 0) return this.#decide(null, outcome, null);
      // It says nothing of those in flight, and another one would find no endpoint at once either.
      return this.history.record(null, this.made, outcome, "dropped: others are in flight");
    }
    const attempt = this.newAttempt(result);
    if (this.isDone) return attempt.gate.abandon(attempt.isProbe);
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
    const others = { inFlight: this.#race.size, due: this.#queued.size + this.#timer.dueNow };
    const refused = attempt && this.#fresh.onFailure(attempt, outcome, this.credentials, this.made, others);
    if (attempt !== null && attempt === this.#only) {
      const why = this.#plan.onCommittedFailure(outcome, incident, attempt.hasHeaders);
      this.history.record(attempt, number, outcome, why);
      return this.#giveUp(outcome, number);
    }
    const decision = refused ?? this.#plan.onFailure(outcome, this.limits.now, others, incident);
    this.history.record(attempt, number, outcome, decision.why);
    if (decision.kind === "send" || this.#plan.isThrottled) this.env.noteThrottled(this.#plan.isThrottled);
    if (decision.kind === "deliver") {
      this.history.isThrottled = decision.isThrottled;
      return this.#giveUp(outcome, number);
    }
    if (this.#plan.isStopped) this.leaveWaits();
    if (decision.kind === "transparent") {
      this.history.transparent++;
      this.env.counters.transparentRetries++;
    }
    if (decision.kind !== "wait") this.#timer.add(decision.kind === "transparent");
    this.#timer.arm(this.#queued.size > 0);
  }

  /** This failure is the call's. */
  #giveUp(outcome: Outcome, number: number): void {
    this.leaveWaits();
    this.#race.loseAllBut(null, lostTo(outcome, number));
    this.finish(outcome);
  }

  /** The first answer: the caller sees this attempt from now on (R35). */
  #win(attempt: Attempt): void {
    this.#settleOn(attempt, "another attempt of the call was answered first");
    this.hedging.latency.record(this.limits.now - attempt.startedAt);
  }

  #settleOn(attempt: Attempt, why: string): void {
    this.leaveWaits();
    this.#plan.stop();
    this.#only = attempt;
    // Whose peer is the call's.
    this.lastAttempt = attempt;
    this.outbox.stopReplay();
    this.outbox.forgetBefore(attempt.writtenCount);
    this.#race.loseAllBut(attempt, why);
  }

  #onTimer(): void {
    this.limits.readClock();
    const due = this.#timer.takeDueNow();
    if (this.limits.isPassed) return this.#onDeadline();
    // The first of them may be all that can still be sent (R16).
    for (let sent = 0; sent < due && !this.isDone && this.#only === null; sent++) this.#send();
    this.#sendDue();
  }

  /** R30: a hedge that the throttle refuses is dropped. */
  #sendDue(): void {
    let isRefused = false;
    while (!this.isDone && this.#queued.size === 0 && this.#plan.dueAt <= this.limits.now) {
      isRefused = !this.#plan.take(this.limits.now);
      this.env.noteThrottled(isRefused);
      if (!isRefused) this.#send();
    }
    if (this.isDone) return;
    const isIdle = this.#race.size + this.#queued.size + this.#timer.dueNow === 0;
    // Nothing waits for tokens: what has failed before the refused attempt is the answer.
    if (isIdle && isRefused && this.#lastFailure !== null) {
      this.history.isThrottled = true;
      return this.#giveUp(this.#lastFailure, this.made);
    }
    this.#timer.arm(this.#queued.size > 0);
  }

  /** Attempts in flight end by their own deadlines; without any, nothing else would end the call. */
  #onDeadline(): void {
    const isQueued = this.#queued.size > 0;
    this.leaveWaits();
    if (this.#race.size > 0) return;
    const last = isQueued ? null : this.#lastFailure;
    this.finish(last ? deadlineInBackoff(last) : deadlineInQueue(this.env.target, this.transport.missing));
  }
}
