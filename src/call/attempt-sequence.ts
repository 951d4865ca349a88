import type { Metadata, StatusObject } from "@grpc/grpc-js";
import { isInfrastructureFailure } from "../breaker/index.js";
import { type Outcome, type ReportedStatus, reportedStatus } from "../core/index.js";
import type { Candidate, Incident, PickFilter, Slot } from "../pool/index.js";
import { decideRetry, type RetryPolicy, type RetryProgress } from "../retry/index.js";
import { Attempt, type AttemptOwner } from "./attempt.js";
import { attemptMetadata } from "./attempt-metadata.js";
import { AttemptTrail } from "./attempt-trail.js";
import type { CallEnv } from "./call-env.js";
import type { CallLimits } from "./call-limits.js";
import { attemptLimitMs, isIdempotentCall, type MethodPolicy } from "./method-policy.js";
import type { Outbox } from "./retry-buffer.js";
import type { RpcKind } from "./rpc-kind.js";
import { TriedEndpoints } from "./tried-endpoints.js";

/** Transparent retries of one call that are made at once; further ones wait as policy retries do. */
const FREE_TRANSPARENT_RETRIES = 20;

const UNKNOWN_KIND: RpcKind = { requestStream: true, responseStream: true };

/** What follows a failed attempt. */
export type NextStep = { readonly kind: "deliver" } | { readonly kind: "attempt"; readonly delayMs: number };

/** The attempts of one call: what they may do, how they ended, and what follows. Holds no timer and no socket. */
export class AttemptSequence {
  readonly #isIdempotent: boolean;
  readonly #retry: RetryPolicy;
  readonly isWaitingForReady: boolean;
  /** Attempts that count against `maxAttempts`. */
  #counted = 0;
  /** All attempts, transparent ones included. */
  #made = 0;
  #transparent = 0;
  #trail: AttemptTrail | null = null;
  #progress: RetryProgress | null = null;
  #tried: TriedEndpoints | null = null;
  #incident: Incident | null = null;
  #isThrottled = false;

  constructor(
    private readonly env: CallEnv,
    private readonly policy: MethodPolicy,
    private readonly kind: RpcKind,
    private readonly metadata: Metadata,
    private readonly limits: CallLimits,
  ) {
    const { settings } = limits;
    const marks = metadata.getOptions();
    this.#isIdempotent = isIdempotentCall(policy, settings, marks.idempotentRequest === true);
    this.#retry =
      settings.retry === undefined ? policy.retry : env.policies.overridden(policy, settings.retry);
    this.isWaitingForReady = settings.waitForReady ?? marks.waitForReady ?? policy.isWaitingForReady;
  }

  /** For a call that ended before it began. */
  static neverBegun(env: CallEnv, method: string, metadata: Metadata, limits: CallLimits): AttemptSequence {
    return new AttemptSequence(env, env.policies.of(method), UNKNOWN_KIND, metadata, limits);
  }

  /**
   * True where a single answer is held back until its status came, so that a connection that ends, or falls silent,
   * in between costs no idempotent call. gRFC A6 commits at the headers, because by then the application has seen
   * them; here it has not. A failure that the server itself reports after headers is final as in A6.
   */
  get holdsAnswer(): boolean {
    return this.#isIdempotent && !this.kind.responseStream && this.#retry.maxAttempts > 1;
  }

  /** Endpoints this call has failed on; null before the first failure. */
  get tried(): PickFilter<Candidate> | null {
    return this.#tried;
  }

  countAttempt(): void {
    this.#counted++;
    this.#made++;
    this.env.counters.attempts++;
  }

  newAttempt(slot: Slot, owner: AttemptOwner, outbox: Outbox): Attempt {
    this.countAttempt();
    const { events } = this.env;
    const { timeLeftMs, now, epoch } = this.limits;
    const maxAttempts = this.#retry.maxAttempts;
    const callTimeMs = timeLeftMs + this.limits.elapsedMs;
    const call = { isIdempotent: this.#isIdempotent, maxAttempts, timeLeftMs: callTimeMs };
    const limitMs = attemptLimitMs(this.policy, this.kind, call);
    const deadline = limitMs < timeLeftMs ? epoch + limitMs : this.limits.deadline;
    const isProbe = slot.gate.acquire();
    if (events.hasListeners) {
      events.emit({
        type: "call.picked",
        method: this.policy.path,
        attempt: this.#made,
        endpoint: slot.address,
      });
    }
    return new Attempt(slot, isProbe, this.#made, now, deadline, owner, outbox);
  }

  /** Tells breaker and connection how an attempt ended, once per incident. */
  settle(attempt: Attempt, outcome: Outcome): void {
    const { slot, isProbe } = attempt;
    const incident = this.#incidentOf(attempt, outcome);
    // Without a pool nobody else notices a failed dial.
    const isDialFailure = !slot.isPooled && outcome.reason === "DIAL_FAILED";
    const verdict = isDialFailure ? "failure" : isInfrastructureFailure(outcome);
    // The pool counts a lost connection itself.
    const isCounted = incident?.isCounted === true || (outcome.isConnectionLoss && slot.isPooled);
    if (verdict === "success") slot.gate.succeed(isProbe);
    else if (verdict === "neutral" || (isCounted && !isProbe)) slot.gate.abandon(isProbe);
    else {
      slot.gate.fail(isProbe);
      if (incident !== null) incident.isCounted = true;
    }
    this.#incident = incident;
  }

  #incidentOf(attempt: Attempt, outcome: Outcome): Incident | null {
    if (outcome.isConnectionLoss) return attempt.slot.noteLoss();
    const isTimeout = outcome.reason === "ATTEMPT_TIMEOUT" || outcome.reason === "DEADLINE_EXCEEDED";
    return isTimeout && outcome.progress === "sent" ? attempt.noteTimeout() : null;
  }

  succeed(attempt: Attempt, status: StatusObject): ReportedStatus {
    attempt.slot.gate.succeed(attempt.isProbe);
    attempt.slot.lastSuccessAt = attempt.startedAt;
    this.env.throttle?.recordSuccess();
    if (this.#trail === null) return status;
    this.env.events.emit({ type: "call.recovered", method: this.policy.path, attempts: this.#made });
    return { ...status, attempts: this.#trail.records };
  }

  /** What follows an attempt that ended, or a pick that found nothing. */
  decide(attempt: Attempt | null, outcome: Outcome, isReplayable: boolean): NextStep {
    const progress = this.#progressOf(attempt, outcome, isReplayable);
    const incident = this.#incident;
    this.#incident = null;
    const decision = decideRetry(this.#retry, progress, outcome, this.env.throttle, incident);
    this.#record(attempt, outcome, decision.why);
    if (decision.kind === "deliver") {
      this.#isThrottled = decision.isThrottled;
      if (decision.isThrottled) this.env.noteThrottled(true);
      return decision;
    }
    if (attempt !== null) this.#avoid(attempt.slot.address);
    if (decision.kind === "transparent") {
      this.#counted--;
      this.#transparent++;
      if (outcome.progress === "refused") progress.transparentRetries.refused++;
      this.env.counters.transparentRetries++;
    } else {
      progress.retriesSincePushback = decision.isPushback ? 0 : progress.retriesSincePushback + 1;
      this.env.counters.retries++;
      this.env.noteThrottled(false);
    }
    const delayMs = decision.kind === "retry" ? decision.delayMs : this.#transparentDelayMs();
    this.#announceRetry(attempt, outcome, decision.kind === "retry" ? "policy" : "transparent", delayMs);
    return { kind: "attempt", delayMs };
  }

  /** The final status: a server's own stays untouched, a local one says what happened. */
  report(method: string, outcome: Outcome): ReportedStatus {
    this.#trail ??= new AttemptTrail();
    const trail = this.#trail;
    const name = method.replace(/^\//, "");
    const explanation = trail.explain(name, outcome, this.limits.elapsedMs);
    const reason = trail.reason(outcome, this.#isThrottled);
    const processed = trail.processed(outcome.processed);
    const { code, metadata, origin } = outcome;
    const details = origin === "remote" ? outcome.details : explanation;
    this.env.events.emit({ type: "call.failed", method, attempts: this.#made, code, reason, explanation });
    const report = { reason, origin, processed, attempts: trail.records, explanation };
    return reportedStatus({ code, details, metadata }, report);
  }

  attemptMetadata(isPooled: boolean): Metadata {
    return attemptMetadata(this.metadata, this.#counted - 1, isPooled);
  }

  /** R21 sets no limit to retries of what never left; whatever makes it fail again and again must not spin, though. */
  #transparentDelayMs(): number {
    const excess = this.#transparent - FREE_TRANSPARENT_RETRIES;
    return excess <= 0 ? 0 : this.#retry.backoff.delayMs(excess);
  }

  #progressOf(attempt: Attempt | null, outcome: Outcome, isReplayable: boolean): RetryProgress {
    this.#progress ??= {
      countedAttempts: 0,
      retriesSincePushback: 0,
      transparentRetries: { refused: 0 },
      isIdempotent: this.#isIdempotent,
      isCommitted: false,
      isReplayable,
    };
    this.#progress.countedAttempts = this.#counted;
    const hasAnswer = attempt?.hasHeaders === true;
    this.#progress.isCommitted = hasAnswer && (!this.holdsAnswer || outcome.origin === "remote");
    this.#progress.isReplayable = isReplayable;
    return this.#progress;
  }

  #record(attempt: Attempt | null, outcome: Outcome, next: string): void {
    this.#trail ??= new AttemptTrail();
    const elapsedMs = this.limits.elapsedMs;
    const ms = attempt === null ? 0 : this.limits.now - attempt.startedAt;
    this.#trail.add({
      attempt: this.#made,
      endpoint: attempt?.slot.address ?? null,
      startedMs: Math.max(0, Math.round(elapsedMs - ms)),
      ms: Math.round(ms),
      code: outcome.code,
      reason: outcome.reason,
      origin: outcome.origin,
      processed: outcome.processed,
      details: outcome.details,
      next,
    });
  }

  #avoid(address: string): void {
    this.#tried ??= new TriedEndpoints();
    this.#tried.add(address);
  }

  #announceRetry(
    attempt: Attempt | null,
    outcome: Outcome,
    kind: "transparent" | "policy",
    delayMs: number,
  ): void {
    if (!this.env.events.hasListeners) return;
    this.env.events.emit({
      type: "call.retry",
      method: this.policy.path,
      attempt: this.#made,
      endpoint: attempt?.slot.address ?? null,
      code: outcome.code,
      reason: outcome.reason,
      kind,
      delayMs: Math.round(delayMs),
    });
  }
}
