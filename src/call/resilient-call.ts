import { type Metadata, status as Status, type StatusObject } from "@grpc/grpc-js";
import type { Outcome, Timer } from "../core/index.js";
import type {
  Candidate,
  InnerCall,
  LoadView,
  PickCall,
  PickFilter,
  PickResult,
  PickWaiter,
  Slot,
} from "../pool/index.js";
import { attemptLimitMs } from "../retry/index.js";
import { announceEnd, announcePick } from "./announce.js";
import { Attempt, type AttemptOwner } from "./attempt.js";
import { attemptMetadata } from "./attempt-metadata.js";
import { CallLife } from "./call-life.js";
import { cancelled, classify } from "./classify.js";
import { issuesNow } from "./fresh-credentials.js";
import { failedStart, notGrpc, readable } from "./own-outcomes.js";
import { refusedInPlaintext } from "./plaintext-credentials.js";
import { StreamWatch, type StreamWatchOwner } from "./stream-watch.js";

/** How much earlier than ours a server's timer may fire for the same deadline; it is sent in whole milliseconds. */
const TIMER_SLACK_MS = 2;

/**
 * One call with its attempts, for all four RPC kinds, at the level where they are the same thing. Order of concerns,
 * outermost first: deadline, retry or hedging, breaker and pick, attempt timeout, outcome, send. A subclass decides
 * which attempts there are and which of them answers the call.
 */
export abstract class ResilientCall
  extends CallLife
  implements AttemptOwner, PickCall, PickWaiter, StreamWatchOwner
{
  /** Set where the caller asks for another authority. */
  declare host?: string | null | undefined;
  protected made = 0;
  protected lastAttempt: Attempt | null = null;
  /** Set for a response stream that has limits of its own. */
  declare private watch?: StreamWatch | null;

  /** How many attempts there may be, for the share of time that each of them has. */
  protected abstract readonly maxAttempts: number;
  /** Picks again after a wait in the queue. True when it no longer waits. */
  protected abstract pickQueued(): boolean;
  protected abstract pumpAttempts(): void;
  protected abstract readAttempts(): void;
  protected abstract onAnswered(attempt: Attempt, status: StatusObject): void;
  protected abstract onFailed(attempt: Attempt, status: StatusObject): void;
  abstract onAttemptHeaders(attempt: Attempt, metadata: Metadata): void;

  /** Attempts that count against `maxAttempts`. */
  protected get counted(): number {
    return this.made - (this.pastFailures?.transparent ?? 0);
  }

  protected get visible(): InnerCall | null {
    return this.lastAttempt?.inner ?? null;
  }

  protected pump(): void {
    this.watch?.onMessage(false);
    this.pumpAttempts();
  }

  protected readMore(): void {
    this.watch?.onRead();
    this.readAttempts();
  }

  onPickable(): boolean {
    // Its last look at the clock may be as old as its wait.
    this.limits.readClock();
    return this.runInAsyncScope(this.pickQueued, this);
  }

  onAttemptMessage(attempt: Attempt, message: Buffer): void {
    this.watch?.onMessage(true);
    const maxBytes = this.limits.atMost("maxReceiveMessageBytes", this.policy.maxReceiveMessageBytes);
    if (message.length > maxBytes) {
      const details = `the response message has ${message.length} bytes; maxReceiveMessageBytes allows ${maxBytes}`;
      return this.end(Status.RESOURCE_EXHAUSTED, details, "MESSAGE_TOO_LARGE");
    }
    const fate = this.handOverMessage(message, attempt.slot.isPooled);
    // grpc-js keeps the status back while a second answer is unread, and nobody else asks for one meanwhile.
    if (fate === "held") attempt.startRead();
    if (fate === "released") this.outbox.stopReplay();
  }

  /** Attempts tell of headers through this, before anything is made of them. */
  protected noteHeaders(attempt: Attempt): void {
    attempt.proveEndpoint();
    if (this.kind.responseStream && attempt.answeredAt === undefined) this.noteResponseTime(attempt);
    this.watch?.onHeaders();
  }

  /** What a stream says of its endpoint's latency; when it ends says nothing of it. */
  private noteResponseTime(attempt: Attempt): void {
    this.limits.readClock();
    const { now } = this.limits;
    attempt.answeredAt = now;
    const answerMs = this.answerMs(attempt);
    if (answerMs !== null) attempt.slot.standing.latency.record(answerMs, now);
  }

  /** How long the endpoint took to answer; null where the time was the caller's, or there was no answer. */
  protected answerMs({ startedAt, answeredAt }: Attempt): number | null {
    const { requestStream, responseStream } = this.kind;
    if (requestStream) return null;
    if (!responseStream) return this.limits.now - startedAt;
    return answeredAt === undefined ? null : answeredAt - startedAt;
  }

  onAttemptStatus(attempt: Attempt, status: StatusObject): void {
    const { load } = attempt.slot.standing;
    if (load?.isPerCall === true) noteLoad(load, status, this.env.clock.now());
    const settle = status.code === Status.OK ? this.onAnswered : this.onFailed;
    this.runInAsyncScope(settle, this, attempt, status);
  }

  /** @param tried endpoints to avoid while another one is usable */
  protected pickSlot(tried: PickFilter<Candidate> | null): PickResult {
    return this.transport.pick(this, tried, this.isWaitingForReady);
  }

  protected countAttempt(): void {
    this.made++;
    this.env.counters.attempts++;
  }

  protected newAttempt(slot: Slot): Attempt {
    this.countAttempt();
    const { limits, policy } = this;
    const { timeLeftMs, now } = limits;
    const callTimeMs = timeLeftMs + limits.elapsedMs;
    const limitMs = attemptLimitMs(
      policy.attemptTimeoutMs,
      this.kind,
      this.isIdempotent,
      this.maxAttempts,
      callTimeMs,
    );
    const ownLimitMs = limitMs < timeLeftMs ? Math.max(1, Math.floor(limitMs)) : 0;
    const gate = slot.standing.gateFor(this.path);
    const isProbe = gate.acquire();
    announcePick(this, this.made, slot.address);
    const attempt = new Attempt(slot, gate, isProbe, this.made, now, ownLimitMs, this);
    this.lastAttempt = attempt;
    return attempt;
  }

  /** @returns null, or how it failed: grpc-js threw, so nothing was sent */
  protected startAttempt(attempt: Attempt): Outcome | null {
    const { slot } = attempt;
    const refusal = refusedInPlaintext(slot, this.credentials);
    if (refusal !== null) {
      attempt.gate.abandon(attempt.isProbe);
      return refusal;
    }
    if (this.watch === undefined) this.watchStream();
    const metadata = attemptMetadata(this.metadata, this.counted - 1, slot.isPooled, this.isWaitingForReady);
    const issues = issuesNow(this.credentials, slot.callCredentials);
    if (issues !== null) attempt.issues = issues;
    const { epoch, deadline } = this.limits;
    const ends = attempt.limitMs > 0 ? epoch + attempt.limitMs : deadline;
    try {
      attempt.start(this.path, this.host, metadata, this.credentials, this.isReading, ends);
      this.watch?.onAttempt(this.isReading);
      return null;
    } catch (error) {
      attempt.gate.abandon(attempt.isProbe);
      return failedStart(slot, error);
    }
  }

  /** How a failed attempt ended: by our own word, or as its status says. */
  protected outcomeOf(attempt: Attempt, status: StatusObject): Outcome {
    this.limits.readClock();
    const outcome = this.judge(attempt, readable(status));
    this.env.failures.count(this.path, attempt.slot.address, outcome);
    return outcome;
  }

  private judge(attempt: Attempt, status: StatusObject): Outcome {
    const { limits } = this;
    const { limitMs, startedAt } = attempt;
    const isLimited = limitMs > 0;
    const leftMs = isLimited ? startedAt + limitMs - limits.now : limits.timeLeftMs;
    const isDue = leftMs <= TIMER_SLACK_MS;
    const evidence = attempt.evidence(isLimited, isDue);
    const { ending } = this;
    if (ending !== null) return cancelled(ending.status, ending.reason, evidence);
    const strange = attempt.headers === null ? null : notGrpc(attempt.headers, status);
    if (strange !== null) return classify(strange, evidence);
    return attempt.isTimedOut ? cancelled(status, "ATTEMPT_TIMEOUT", evidence) : classify(status, evidence);
  }

  protected succeed(attempt: Attempt, status: StatusObject): void {
    const { startedAt, slot } = attempt;
    this.limits.readClock();
    const { now } = this.limits;
    const answerMs = this.answerMs(attempt);
    attempt.gate.succeed(attempt.isProbe, answerMs ?? undefined);
    slot.standing.succeeded(startedAt, this.kind.responseStream ? null : answerMs, now);
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

  private watchStream(): void {
    const { firstResponseTimeoutMs, streamIdleTimeoutMs } = this.policy;
    if (!this.kind.responseStream || (firstResponseTimeoutMs ?? streamIdleTimeoutMs) === null) return;
    this.watch = new StreamWatch(this.env.clock, firstResponseTimeoutMs, streamIdleTimeoutMs, this);
  }

  /** A timer somebody awaits. */
  protected setTimer(callback: () => void, delayMs: number): Timer {
    return this.env.clock.setTimer(callback, delayMs, { keepAlive: true });
  }

  protected override release(): void {
    this.watch?.stop();
    super.release();
  }
}

/** Where a server puts the report of its load (R124). */
const LOAD_REPORT = "endpoint-load-metrics-bin";

function noteLoad(load: LoadView, { metadata }: StatusObject, now: number): void {
  const [report] = metadata.get(LOAD_REPORT);
  if (report instanceof Uint8Array) load.report(report, now);
}
