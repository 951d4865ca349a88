import { status as Status, type StatusObject } from "@grpc/grpc-js";
import type { Outcome, Reason, ReportedStatus } from "../core/index.js";
import { AttemptHistory } from "./attempt-history.js";
import type { Cancellable } from "./call-limits.js";
import { CallerSide, NO_METADATA } from "./caller-side.js";
import { notSent } from "./classify.js";
import { isIdempotentCall } from "./method-policy.js";
import { noCompression, notBegun, ownStatus } from "./own-outcomes.js";
import { observedKind, type RpcKind } from "./rpc-kind.js";
import type { RunningCall } from "./running-calls.js";
import type { CallTransport } from "./transport.js";

/** Until it is known. */
const UNKNOWN_KIND: RpcKind = { requestStream: true, responseStream: true };

/** How a call that we end ourselves is to be reported. */
export interface Ending {
  readonly status: StatusObject;
  readonly reason: Reason;
}

/**
 * How a call begins and ends. The first attempt starts at the end of the turn in which grpc-js's `Client` starts the
 * call: by then a unary request is complete, the call's kind is known, and a call cancelled at once is never sent.
 */
export abstract class CallLife extends CallerSide implements RunningCall, Cancellable {
  previousRunning: RunningCall | null = null;
  nextRunning: RunningCall | null = null;
  #stage: "created" | "starting" | "begun" | "done" = "created";
  #ending: Ending | null = null;
  #history: AttemptHistory | null = null;
  protected kind = UNKNOWN_KIND;
  protected isIdempotent = false;
  protected isWaitingForReady = false;
  /** Where its attempts go; known before the first pick. */
  protected transport!: CallTransport;

  /** All attempts, transparent ones included. */
  protected abstract readonly made: number;
  /** The call may make its first attempt. */
  protected abstract proceed(): void;
  /** Cancels what is in flight; false when nothing is. */
  protected abstract cancelAttempts(code: Status, details: string): boolean;
  /** Leaves every wait. */
  protected abstract leaveWaits(): void;

  protected get isResponseStream(): boolean {
    return this.kind.responseStream;
  }

  get path(): string {
    return this.policy.path;
  }

  get hashKey(): string | null {
    return this.limits.settings.hashKey ?? null;
  }

  get now(): number {
    return this.limits.now;
  }

  header(name: string): string | null {
    const values = this.metadata.get(name);
    return values.length === 0 ? null : values.join(",");
  }

  protected get isDone(): boolean {
    return this.#stage === "done";
  }

  /** Set while attempts are cancelled by our own word. */
  protected get ending(): Ending | null {
    return this.#ending;
  }

  /** Null while nothing went wrong. */
  protected get pastFailures(): AttemptHistory | null {
    return this.#history;
  }

  get history(): AttemptHistory {
    this.#history ??= new AttemptHistory(this);
    return this.#history;
  }

  protected onStart(): void {
    // Asked now and not when it begins: a call made just before close() may finish.
    const { closedDetails } = this.env;
    if (closedDetails !== null) this.#ending ??= refusal(closedDetails);
    this.env.callStarted(this);
    this.env.counters.started++;
    this.#stage = "starting";
    this.env.starts.add(this);
  }

  begin(): void {
    if (this.#stage !== "starting") return;
    try {
      this.beginNow();
    } catch (error) {
      // In a turn of our own nobody else would end the call, and the process would end instead.
      if (!this.isDone) this.finish(notBegun(error));
    }
  }

  private beginNow(): void {
    const { env, limits, policy, metadata } = this;
    const { settings } = limits;
    this.kind = env.known.kindOf(policy.path) ?? observedKind(this.isReading, this.outbox.isHalfClosed);
    limits.begin(policy, this.kind, this);
    const marks = metadata.getOptions();
    this.isIdempotent = isIdempotentCall(policy, settings, marks.idempotentRequest === true);
    this.isWaitingForReady = settings.waitForReady ?? marks.waitForReady ?? policy.isWaitingForReady;
    this.#stage = "begun";
    if (this.#ending !== null) return this.finish(notSent(this.#ending.status, this.#ending.reason));
    const obstacle = limits.obstacle(metadata === NO_METADATA ? null : metadata, env.maxMetadataBytes);
    if (obstacle !== null) return this.finish(notSent(obstacle.status, obstacle.reason));
    const transport = env.transportFor(settings.compression ?? policy.compression, this.kind.responseStream);
    if (transport === null) return this.finish(noCompression());
    this.transport = transport;
    this.proceed();
  }

  protected end(code: Status, details: string, reason: Reason): void {
    if (this.#stage === "done" || this.#ending !== null) return;
    const ending = { status: ownStatus(code, details), reason };
    // Before the start there is no listener yet: whoever starts the call hears of its end then.
    if (this.#stage === "created") {
      this.#ending = ending;
      return;
    }
    this.leaveWaits();
    // Set before the attempts are cancelled, because some answer at once.
    this.#ending = ending;
    if (this.cancelAttempts(code, details)) return;
    this.#ending = null;
    this.finish(notSent(ending.status, reason));
  }

  cancelFrom(details: string): void {
    this.end(Status.CANCELLED, details, "CANCELLED");
  }

  abort(details: string): void {
    this.end(Status.CANCELLED, details, "CLIENT_CLOSED");
  }

  protected succeedWith(status: StatusObject): void {
    if (this.isDone) return;
    this.release();
    this.env.counters.succeeded++;
    this.handOverStatus(this.#history === null ? status : this.recovered(this.#history, status));
  }

  private recovered({ trail }: AttemptHistory, status: StatusObject): ReportedStatus {
    // Attempts that only lost a race are told, but nothing had failed.
    const hasFailed = trail.records.some(({ reason }) => reason !== "CANCELLED");
    if (hasFailed) this.env.events.emit({ type: "call.recovered", method: this.path, attempts: this.made });
    return { ...status, attempts: trail.records };
  }

  protected finish(outcome: Outcome): void {
    if (this.isDone) return;
    const reported = this.history.report(outcome, this.made);
    this.release();
    this.env.counters.failed++;
    // In a turn of its own, so that a callback of the user that throws does not end our loops over other calls.
    this.runInAsyncScope(() => process.nextTick(() => this.handOverStatus(reported)));
  }

  protected release(): void {
    this.#stage = "done";
    this.limits.release();
    this.outbox.close();
    this.env.callEnded(this);
  }
}

function refusal(details: string): Ending {
  return { status: ownStatus(Status.CANCELLED, details), reason: "CLIENT_CLOSED" };
}
