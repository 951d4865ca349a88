import { type Metadata, status as Status, type StatusObject } from "@grpc/grpc-js";
import type { Outcome, Timer } from "../core/index.js";
import type { Candidate, InnerCall, PickFilter, PickResult, PickWaiter, Slot } from "../pool/index.js";
import { announceEnd, announcePick } from "./announce.js";
import { Attempt, type AttemptOwner } from "./attempt.js";
import { attemptMetadata } from "./attempt-metadata.js";
import { CallLife } from "./call-life.js";
import { cancelled, classify } from "./classify.js";
import { generationOf } from "./fresh-credentials.js";
import { attemptLimitMs } from "./method-policy.js";
import { failedStart } from "./own-outcomes.js";
import { StreamWatch, type StreamWatchOwner } from "./stream-watch.js";

/** How much earlier than ours a server's timer may fire for the same deadline; it is sent in whole milliseconds. */
const TIMER_SLACK_MS = 2;

/**
 * One call with its attempts, for all four RPC kinds, at the level where they are the same thing. Order of concerns,
 * outermost first: deadline, retry or hedging, breaker and pick, attempt timeout, outcome, send. A subclass decides
 * which attempts there are and which of them answers the call.
 */
export abstract class ResilientCall extends CallLife implements AttemptOwner, PickWaiter, StreamWatchOwner {
  host: string | null | undefined = null;
  protected made = 0;
  /** Attempts that count against `maxAttempts`. */
  protected counted = 0;
  protected lastAttempt: Attempt | null = null;
  /** Of a response stream that has limits of its own; null for all others. */
  #watch: StreamWatch | null = null;

  /** How many attempts there may be, for the share of time that each of them has. */
  protected abstract readonly maxAttempts: number;
  /** Picks again after a wait in the queue. True when it no longer waits. */
  protected abstract pickQueued(): boolean;
  protected abstract pumpAttempts(): void;
  protected abstract readAttempts(): void;
  protected abstract onAnswered(attempt: Attempt, status: StatusObject): void;
  protected abstract onFailed(attempt: Attempt, status: StatusObject): void;
  abstract onAttemptHeaders(attempt: Attempt, metadata: Metadata): void;

  protected get visible(): InnerCall | null {
    return this.lastAttempt?.inner ?? null;
  }

  protected pump(): void {
    this.#watch?.onMessage(false);
    this.pumpAttempts();
  }

  protected readMore(): void {
    this.#watch?.onRead();
    this.readAttempts();
  }

  onPickable(): boolean {
    return this.runInAsyncScope(this.pickQueued, this);
  }

  onAttemptMessage(attempt: Attempt, message: Buffer): void {
    this.#watch?.onMessage(true);
    const maxBytes = this.limits.atMost("maxReceiveMessageBytes", this.policy.maxReceiveMessageBytes);
    if (message.length > maxBytes) {
      const details = `the response message has ${message.length} bytes; maxReceiveMessageBytes allows ${maxBytes}`;
      return this.end(Status.RESOURCE_EXHAUSTED, details, "MESSAGE_TOO_LARGE");
    }
    this.handOverMessage(message, attempt.slot.isPooled);
  }

  /** Attempts tell of headers through this, before anything is made of them. */
  protected noteHeaders(attempt: Attempt): void {
    attempt.proveEndpoint();
    this.#watch?.onHeaders();
  }

  onAttemptStatus(attempt: Attempt, status: StatusObject): void {
    const settle = status.code === Status.OK ? this.onAnswered : this.onFailed;
    this.runInAsyncScope(settle, this, attempt, status);
  }

  /** @param tried endpoints to avoid while another one is usable */
  protected pickSlot(tried: PickFilter<Candidate> | null): PickResult {
    return this.transport.pick(tried, this.isWaitingForReady);
  }

  protected countAttempt(): void {
    this.counted++;
    this.made++;
    this.env.counters.attempts++;
  }

  protected newAttempt(slot: Slot): Attempt {
    this.countAttempt();
    const { limits, policy } = this;
    const { timeLeftMs, now, epoch } = limits;
    const callTimeMs = timeLeftMs + limits.elapsedMs;
    const limitMs = attemptLimitMs(policy, this.kind, this.isIdempotent, this.maxAttempts, callTimeMs);
    const deadline = limitMs < timeLeftMs ? epoch + limitMs : limits.deadline;
    const isProbe = slot.gate.acquire();
    announcePick(this, this.made, slot.address);
    const attempt = new Attempt(slot, isProbe, this.made, now, deadline, this, this.outbox);
    this.lastAttempt = attempt;
    return attempt;
  }

  /** @returns null, or how it failed: grpc-js threw, so nothing was sent */
  protected startAttempt(attempt: Attempt): Outcome | null {
    const { slot } = attempt;
    if (this.made === 1) this.#watch = this.#newWatch();
    const metadata = attemptMetadata(this.metadata, this.counted - 1, slot.isPooled);
    attempt.callGeneration = generationOf(this.credentials);
    attempt.slotGeneration = generationOf(slot.callCredentials);
    try {
      attempt.start(this.path, this.host, metadata, this.credentials, this.isReading);
      this.#watch?.onAttempt(this.isReading);
      return null;
    } catch (error) {
      slot.gate.abandon(attempt.isProbe);
      return failedStart(slot, error);
    }
  }

  /** How a failed attempt ended: by our own word, or as its status says. */
  protected outcomeOf(attempt: Attempt, status: StatusObject): Outcome {
    const { limits } = this;
    limits.readClock();
    const isDue = limits.epoch >= attempt.deadline - TIMER_SLACK_MS;
    const isLimited = attempt.deadline < limits.deadline;
    const evidence = attempt.evidence(isLimited, isDue);
    const { ending } = this;
    if (ending !== null) return cancelled(ending.status, ending.reason, evidence);
    return attempt.isTimedOut ? cancelled(status, "ATTEMPT_TIMEOUT", evidence) : classify(status, evidence);
  }

  protected succeed(attempt: Attempt, status: StatusObject): void {
    attempt.slot.gate.succeed(attempt.isProbe);
    attempt.slot.lastSuccessAt = attempt.startedAt;
    this.env.throttle?.recordSuccess();
    announceEnd(this, attempt, status.code);
    this.succeedWith(status);
  }

  onNoFirstResponse(afterMs: number): void {
    this.lastAttempt?.timeOut(`no response for ${afterMs} ms, as firstResponseTimeoutMs allows`);
  }

  onStreamIdle(afterMs: number): void {
    const details = `no message for ${afterMs} ms, as streamIdleTimeoutMs allows`;
    this.end(Status.DEADLINE_EXCEEDED, details, "DEADLINE_EXCEEDED");
  }

  #newWatch(): StreamWatch | null {
    const { firstResponseTimeoutMs, streamIdleTimeoutMs } = this.policy;
    if (!this.kind.responseStream || (firstResponseTimeoutMs ?? streamIdleTimeoutMs) === null) return null;
    return new StreamWatch(this.env.clock, firstResponseTimeoutMs, streamIdleTimeoutMs, this);
  }

  /** A timer somebody awaits. */
  protected setTimer(callback: () => void, delayMs: number): Timer {
    return this.env.clock.setTimer(callback, delayMs, { keepAlive: true });
  }

  protected override release(): void {
    this.#watch?.stop();
    super.release();
  }
}
