import { type CallCredentials, Metadata, status as Status, type StatusObject } from "@grpc/grpc-js";
import type { Outcome, Reason, Timer } from "../core/index.js";
import type { PickFailure, PickResult, PickWaiter, Slot } from "../pool/index.js";
import { AnswerDelivery } from "./answer-delivery.js";
import type { Attempt, AttemptOwner } from "./attempt.js";
import { AttemptSequence } from "./attempt-sequence.js";
import type { CallEnv } from "./call-env.js";
import type { CallLimits } from "./call-limits.js";
import { cancelled, classify, notSent } from "./classify.js";
import { deadlineInBackoff, deadlineInQueue, failedStart, ownStatus, unavailable } from "./own-outcomes.js";
import { Outbox } from "./retry-buffer.js";
import { observedKind } from "./rpc-kind.js";
import type { RunningCall } from "./running-calls.js";

type Phase =
  | { readonly kind: "created" | "starting" | "done" }
  | { readonly kind: "queued" | "backoff"; readonly timer: Timer }
  | Attempt;

const CREATED: Phase = { kind: "created" };
const STARTING: Phase = { kind: "starting" };
const DONE: Phase = { kind: "done" };

/** Until the call is started with its own; never written to. */
const NO_METADATA = new Metadata();

/** How much earlier than ours a server's timer may fire for the same deadline; it is sent in whole milliseconds. */
const TIMER_SLACK_MS = 2;

/** How a call that we end ourselves is to be reported. */
interface Ending {
  readonly status: StatusObject;
  readonly reason: Reason;
}

/**
 * The attempts of one call, for all four RPC kinds, at the level where they are the same thing. Order of concerns,
 * outermost first: deadline, retry, breaker and pick, attempt timeout, outcome, send.
 *
 * The first attempt starts at the end of the turn in which grpc-js's `Client` starts the call: by then a unary
 * request is complete, the call's kind is known, and a call cancelled at once is never sent.
 */
export abstract class AttemptMachine extends AnswerDelivery implements AttemptOwner, PickWaiter, RunningCall {
  previousRunning: RunningCall | null = null;
  nextRunning: RunningCall | null = null;
  #phase: Phase = CREATED;
  #ending: Ending | null = null;
  /** Why the channel took no more calls when this one was made. */
  #refusal: string | null = null;
  #sequence: AttemptSequence | null = null;
  protected readonly outbox: Outbox;
  protected metadata = NO_METADATA;
  protected credentials: CallCredentials | null = null;
  protected isReading = false;
  protected lastAttempt: Attempt | null = null;

  constructor(
    protected readonly env: CallEnv,
    protected readonly method: string,
    private readonly host: string | null | undefined,
    private readonly limits: CallLimits,
  ) {
    super();
    this.outbox = new Outbox(env.budget);
  }

  protected get isDone(): boolean {
    return this.#phase.kind === "done";
  }

  protected get running(): Attempt | null {
    return this.#phase.kind === "running" ? this.#phase : null;
  }

  /** The caller has started the call. */
  protected startSoon(): void {
    // Asked now and not when it begins: a call made just before close() may finish.
    this.#refusal = this.env.closedDetails;
    this.env.callStarted(this);
    this.env.counters.started++;
    this.#phase = STARTING;
    process.nextTick(begin, this);
  }

  begin(): void {
    if (this.#phase.kind !== "starting") return;
    const { env, limits, isReading: isReadAsked } = this;
    const kind =
      env.known.kindOf(this.method) ?? observedKind({ isReadAsked, isHalfClosed: this.outbox.isHalfClosed });
    const policy = env.policies.of(this.method);
    limits.begin(policy, kind, (details) => this.end(Status.CANCELLED, details, "CANCELLED"));
    this.#sequence = new AttemptSequence(env, policy, kind, this.metadata, limits);
    if (this.#ending !== null) return this.#finish(notSent(this.#ending.status, this.#ending.reason));
    const obstacle = limits.obstacle(this.#refusal, this.metadata);
    if (obstacle !== null) return this.#finish(notSent(obstacle.status, obstacle.reason));
    this.#pick();
  }

  /** Ends the call by our own word, wherever it is. */
  protected end(code: Status, details: string, reason: Reason): void {
    const phase = this.#phase;
    if (phase.kind === "done" || this.#ending !== null) return;
    const status = ownStatus(code, details);
    // Before the start there is no listener yet: whoever starts the call hears of its end then.
    if (phase.kind === "created" || phase.kind === "running") this.#ending = { status, reason };
    if (phase.kind === "created") return;
    if (phase.kind === "running") return phase.cancel(code, details);
    this.#leaveWait();
    this.#finish(notSent(status, reason));
  }

  abort(details: string): void {
    this.end(Status.CANCELLED, details, "CLIENT_CLOSED");
  }

  onPickable(): boolean {
    return this.#phase.kind !== "queued" || this.context.runInAsyncScope(this.#pickQueued, this);
  }

  onAttemptHeaders(attempt: Attempt, metadata: Metadata): void {
    attempt.proveEndpoint();
    if (this.#sequence?.holdsAnswer === true && this.outbox.isReplayable) return this.hold(metadata);
    // The caller sees this attempt from now on (R14): nothing is kept for another.
    this.outbox.stopReplay();
    this.outbox.forgetBefore(attempt.sentCount);
    this.handOverHeaders(metadata, attempt.slot.isPooled);
  }

  onAttemptMessage(attempt: Attempt, message: Buffer): void {
    this.handOverMessage(message, attempt.slot.isPooled);
  }

  onAttemptStatus(attempt: Attempt, status: StatusObject): void {
    const settle = status.code === Status.OK ? this.#succeed : this.#onAttemptFailed;
    this.context.runInAsyncScope(settle, this, attempt, status);
  }

  #askForSlot(): PickResult {
    const { tried, isWaitingForReady } = this.#sequence as AttemptSequence;
    return this.env.transport.pick(tried, isWaitingForReady);
  }

  #pick(): void {
    const result = this.#askForSlot();
    if (result !== "queue") return this.#proceed(result);
    this.#phase = { kind: "queued", timer: this.limits.untilDeadline(() => this.#onQueueTimeout()) };
    this.env.transport.queue.add(this);
  }

  #pickQueued(): boolean {
    const result = this.#askForSlot();
    if (result === "queue") return false;
    this.#leaveWait();
    this.#proceed(result);
    return true;
  }

  #proceed(result: Slot | PickFailure): void {
    const sequence = this.#sequence as AttemptSequence;
    if ("kind" in result) {
      sequence.countAttempt();
      return this.#decide(null, unavailable(result.details, result.reason));
    }
    const attempt = sequence.newAttempt(result, this, this.outbox);
    this.#phase = attempt;
    this.lastAttempt = attempt;
    try {
      attempt.start(
        this.method,
        this.host,
        sequence.attemptMetadata(result.isPooled),
        this.credentials,
        this.isReading,
      );
    } catch (error) {
      result.gate.abandon(attempt.isProbe);
      this.#decide(attempt, failedStart(result, error));
    }
  }

  #onAttemptFailed(attempt: Attempt, status: StatusObject): void {
    this.limits.readClock();
    const isDue = this.limits.epoch >= attempt.deadline - TIMER_SLACK_MS;
    const evidence = attempt.evidence(attempt.deadline < this.limits.deadline, isDue);
    const ending = this.#ending;
    const outcome =
      ending === null ? classify(status, evidence) : cancelled(ending.status, ending.reason, evidence);
    (this.#sequence as AttemptSequence).settle(attempt, outcome);
    this.#decide(attempt, outcome);
  }

  #decide(attempt: Attempt | null, outcome: Outcome): void {
    const next = (this.#sequence as AttemptSequence).decide(attempt, outcome, this.outbox.isReplayable);
    if (next.kind === "deliver") return this.#finish(outcome);
    this.dropHeld();
    // A timer even for "at once": a failure that repeats in the same turn would starve timers and sockets.
    const delayMs = Math.min(next.delayMs, this.limits.timeLeftMs);
    const timer = this.env.clock.setTimer(() => this.#retry(outcome), delayMs, { keepAlive: true });
    this.#phase = { kind: "backoff", timer };
  }

  #retry(last: Outcome): void {
    this.#leaveWait();
    if (!this.limits.isPassed) return this.#pick();
    this.#finish(deadlineInBackoff(last));
  }

  #onQueueTimeout(): void {
    this.#leaveWait();
    const { target, transport } = this.env;
    this.context.runInAsyncScope(this.#finish, this, deadlineInQueue(target, transport.missing));
  }

  #leaveWait(): void {
    this.limits.readClock();
    const phase = this.#phase;
    if (phase.kind === "queued") this.env.transport.queue.remove(this);
    if (phase.kind === "queued" || phase.kind === "backoff") phase.timer.cancel();
    this.#phase = STARTING;
  }

  #succeed(attempt: Attempt, status: StatusObject): void {
    const reported = (this.#sequence as AttemptSequence).succeed(attempt, status);
    this.#release();
    this.env.counters.succeeded++;
    this.handOverStatus(reported);
  }

  #finish(outcome: Outcome): void {
    const { env, method, metadata, limits } = this;
    const sequence = this.#sequence ?? AttemptSequence.neverBegun(env, method, metadata, limits);
    const reported = sequence.report(method, outcome);
    this.#release();
    env.counters.failed++;
    // In a turn of its own, so that a callback of the user that throws does not end our loops over other calls.
    this.context.runInAsyncScope(() => process.nextTick(() => this.handOverStatus(reported)));
  }

  #release(): void {
    this.#phase = DONE;
    this.limits.release();
    this.outbox.close();
    this.env.callEnded(this);
  }
}

/** A shared function, so that starting a call costs no closure. */
function begin(call: AttemptMachine): void {
  call.begin();
}
