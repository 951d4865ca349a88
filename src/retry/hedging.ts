import { status } from "@grpc/grpc-js";
import type { Outcome } from "../core/index.js";
import { FINAL_REASONS } from "./final-reasons.js";
import type { ResolvedHedgingOptions } from "./hedging-options.js";
import type { LatencyWindow } from "./latency-window.js";
import { PUSHBACK_KEY, type Pushback, parsePushback } from "./pushback.js";
import { statusName } from "./status-code.js";
import type { RetryThrottle } from "./throttle.js";

/** What the options of a method say, ready for use. */
export interface HedgingPolicy {
  readonly options: ResolvedHedgingOptions;
  /** How long the method's answers take; asked for `delayMs: "p95"`, told in any case. */
  readonly latency: LatencyWindow;
}

/** What to do after an attempt of a hedged call has failed; `why` is the phrase for the attempt trail. */
export type HedgeDecision =
  /** This failure is the call's: the other attempts are cancelled. */
  | { readonly kind: "deliver"; readonly why: string; readonly isThrottled: boolean }
  /** Others are in flight, or `dueAt` says when the next one starts. */
  | { readonly kind: "wait"; readonly why: string }
  /** The next attempt starts now. */
  | { readonly kind: "send"; readonly why: string }
  /** The same attempt again, which no server application has seen (R21). */
  | { readonly kind: "transparent"; readonly why: string };

/** The other attempts of the call when one has failed. */
export interface OtherAttempts {
  readonly inFlight: number;
  /** Those that are due and wait for an endpoint, or for the next turn. */
  readonly due: number;
}

/**
 * Decides when the attempts of one call start, and which failure ends it (gRFC A6, hedging; R32-R37). Times are
 * instants of one monotonic clock, in milliseconds.
 */
export class HedgePlan {
  readonly #policy: HedgingPolicy;
  readonly #throttle: RetryThrottle | null;
  /** Attempts that count against maxAttempts, those that the throttle refused included. */
  #started = 0;
  #isStopped = false;
  #isThrottled = false;
  #isRefusedBefore = false;
  #dueAt = Number.POSITIVE_INFINITY;

  /** @param throttle the bucket of the target, or null when throttling is off */
  constructor(policy: HedgingPolicy, throttle: RetryThrottle | null) {
    this.#policy = policy;
    this.#throttle = throttle;
  }

  /** When the next attempt is to start; `Infinity` when none is. */
  get dueAt(): number {
    return this.#dueAt;
  }

  get isMoreDue(): boolean {
    return this.#dueAt < Number.POSITIVE_INFINITY;
  }

  /** True once no further attempt may start, those that are due already included. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** True while the throttle is what stands in the way: it refused the last attempt that was due. */
  get isThrottled(): boolean {
    return this.#isThrottled;
  }

  /** The first attempt starts; it is never throttled (R30). */
  begin(now: number): void {
    this.#count(now);
  }

  /**
   * `dueAt` has come.
   * @returns false when the throttle refuses this attempt, which is then never made (R30)
   */
  take(now: number): boolean {
    this.#count(now);
    this.#isThrottled = this.#throttle?.canRetry() === false;
    return !this.#isThrottled;
  }

  /** The last attempt had to wait for an endpoint and starts now: the next one follows a full delay later, or when pushback says. */
  startedLate(now: number): void {
    if (this.isMoreDue) this.#dueAt = Math.max(this.#dueAt, now + this.#delayMs);
  }

  /** No further attempt: the call is committed, or its request is no longer kept. */
  stop(): void {
    this.#isStopped = true;
    this.#dueAt = Number.POSITIVE_INFINITY;
  }

  /**
   * An attempt failed before the call was committed. Records it on the throttle.
   * @param incident what all failures of one connection loss or suspicion share, or null
   */
  onFailure(outcome: Outcome, now: number, others: OtherAttempts, incident: object | null): HedgeDecision {
    const final = FINAL_REASONS.get(outcome.reason);
    if (final === undefined && this.#isTransparent(outcome)) {
      return { kind: "transparent", why: "repeated at once: no application has seen the attempt" };
    }
    const pushback = parsePushback(outcome.metadata.get(PUSHBACK_KEY));
    const isFatal = final !== undefined || !this.#isNonFatal(outcome);
    if (this.#costsToken(outcome, isFatal, pushback)) this.#throttle?.recordFailure(incident);
    if (isFatal) return deliver(final ?? `${statusName(outcome.code)} is fatal to a hedged call`);
    return this.#afterNonFatal(pushback, now, others);
  }

  /**
   * The attempt failed that the call was committed to. Records it on the throttle, as R28 asks.
   * @returns the phrase for the attempt trail
   */
  onCommittedFailure(outcome: Outcome, incident: object | null, hasHeaders: boolean): string {
    const pushback = parsePushback(outcome.metadata.get(PUSHBACK_KEY));
    const isFatal = FINAL_REASONS.has(outcome.reason) || !this.#isNonFatal(outcome);
    if (this.#costsToken(outcome, isFatal, pushback)) this.#throttle?.recordFailure(incident);
    const why = hasHeaders
      ? "the response had begun, which commits the call to this attempt"
      : "the request is no longer in the retry buffer";
    return `no further attempt: ${why}`;
  }

  #afterNonFatal(pushback: Pushback, now: number, { inFlight, due }: OtherAttempts): HedgeDecision {
    if (pushback.kind === "stop") this.stop();
    const mayStart = !this.#isStopped && this.#started < this.#policy.options.maxAttempts;
    if (mayStart && pushback.kind === "after") {
      this.#dueAt = now + pushback.ms;
      return { kind: "wait", why: `next attempt after ${pushback.ms} ms, as the server's pushback asked` };
    }
    // R33: at once, and the one after it a full delay from now.
    if (mayStart && this.take(now)) return { kind: "send", why: "next attempt at once" };
    // R37: those in flight may finish; those that only wait to be sent are not sent any more.
    const others = this.#isStopped ? inFlight : inFlight + due;
    return others > 0 ? { kind: "wait", why: `${others} more in flight` } : this.#giveUp();
  }

  #giveUp(): HedgeDecision {
    if (this.#isStopped) return deliver("the server's pushback forbids another attempt");
    if (this.#isThrottled && this.#throttle !== null) {
      const { tokens, maxTokens } = this.#throttle;
      return deliver(`the retry throttle is at ${tokens} of ${maxTokens} tokens`, true);
    }
    return deliver(`${this.#started} of ${this.#policy.options.maxAttempts} attempts used`);
  }

  #count(now: number): void {
    this.#started++;
    const isLast = this.#started >= this.#policy.options.maxAttempts;
    this.#dueAt = isLast || this.#isStopped ? Number.POSITIVE_INFINITY : now + this.#delayMs;
  }

  get #delayMs(): number {
    const { options, latency } = this.#policy;
    return options.delayMs === "p95" ? (latency.p95Ms ?? options.initialDelayMs) : options.delayMs;
  }

  #isTransparent({ progress }: Outcome): boolean {
    if (this.#isStopped) return false;
    if (progress === "unsent") return true;
    if (progress !== "refused" || this.#isRefusedBefore) return false;
    this.#isRefusedBefore = true;
    return true;
  }

  #isNonFatal({ code, reason, progress }: Outcome): boolean {
    if (progress === "dropped") return false;
    return reason === "ATTEMPT_TIMEOUT" || this.#policy.options.nonFatalCodes.includes(code);
  }

  /** R28, as far as a server was asked. */
  #costsToken({ progress, code }: Outcome, isFatal: boolean, pushback: Pushback): boolean {
    if (code === status.OK || progress === "unsent" || progress === "no-pick" || progress === "dropped")
      return false;
    return !isFatal || pushback.kind === "stop";
  }
}

/** Why the attempts in flight end with the one whose failure is the call's. */
export function lostTo({ reason }: Outcome, attempt: number): string {
  const isDeadline = reason === "DEADLINE_EXCEEDED";
  return isDeadline ? "the deadline of the call passed" : `attempt ${attempt} has failed for good`;
}

function deliver(obstacle: string, isThrottled = false): HedgeDecision {
  return { kind: "deliver", why: `no further attempt: ${obstacle}`, isThrottled };
}
