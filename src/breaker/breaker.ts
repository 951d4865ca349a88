import type { BreakerStateWord, Clock, Random } from "../core/index.js";
import type { ResolvedBreakerOptions } from "./breaker-options.js";
import { type BreakerStrategy, consecutiveStrategy } from "./strategy.js";

export interface BreakerDeps {
  readonly clock: Clock;
  readonly random: Random;
  /**
   * The panic floor: may this endpoint be out of use beside the others that are (open or half-open)? The asking
   * endpoint is not counted as out, whatever its state: it is asked again when a probe fails.
   */
  mayOpen(): boolean;
  /** Told after every change; `retryInMs` comes with "open". */
  onChange(from: BreakerStateWord, to: BreakerStateWord, retryInMs?: number): void;
}

type Closed = { readonly word: "closed" };
type Open = {
  readonly word: "open";
  /** Instant of the monotonic clock from which on a probe is let through. */
  readonly reopenAt: number;
  /** Times opened since it was last closed; each one doubles the wait. */
  readonly openedTimes: number;
};
type HalfOpen = { readonly word: "half-open"; readonly openedTimes: number };

/** One object for all, so that the hot path compares an identity. */
const CLOSED: Closed = Object.freeze({ word: "closed" });

/**
 * The circuit breaker of one endpoint: closed, open after enough failures in a row, half-open while probes find out
 * whether the endpoint is back. It has no timers: an open breaker turns half-open when a pick takes the first probe.
 * Every `acquire()` is followed by exactly one of `succeed`, `fail` and `abandon`, with what `acquire` returned.
 */
export class Breaker {
  readonly #options: ResolvedBreakerOptions;
  readonly #deps: BreakerDeps;
  readonly #strategy: BreakerStrategy;
  #state: Closed | Open | HalfOpen = CLOSED;
  /** Permits in use. Not part of the half-open state: with several probes, one may outlive the state it began in. */
  #probesInFlight = 0;
  /** Instant at which the last probe was let through. */
  #probedAt = 0;
  /** Since the last success, a connected server was among the causes of failure. */
  #isServersFault = false;

  constructor(options: ResolvedBreakerOptions, deps: BreakerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#strategy = consecutiveStrategy(options.consecutiveFailures);
  }

  /** An open breaker whose time is up still says "open", until a probe is taken. */
  get state(): BreakerStateWord {
    return this.#state.word;
  }

  /** Instant of the monotonic clock at which a probe will be let through, in milliseconds; null unless open. */
  get retryAt(): number | null {
    return this.#state.word === "open" ? this.#state.reopenAt : null;
  }

  /** True when a pick may send an attempt here now. Changes nothing. */
  admits(): boolean {
    return this.#state === CLOSED || this.#hasFreePermit();
  }

  /**
   * Call when an attempt is sent here.
   * @returns true when the attempt is a probe, whose end decides what the breaker does next.
   */
  acquire(): boolean {
    if (this.#state === CLOSED || !this.#hasFreePermit()) return false;
    this.#probesInFlight += 1;
    this.#probedAt = this.#deps.clock.now();
    if (this.#state.word === "open") this.#halfOpen(this.#state);
    return true;
  }

  /** The attempt got an answer from the endpoint, be it an application's error. */
  succeed(isProbe: boolean): void {
    if (isProbe) this.#probesInFlight -= 1;
    if (this.#state === CLOSED) {
      this.#isServersFault = false;
      this.#strategy.success();
    } else if (isProbe && this.#state.word === "half-open") {
      this.#isServersFault = false;
      this.#strategy.success();
      this.#change(CLOSED);
    }
  }

  /**
   * The attempt met an infrastructure failure.
   * @param isOfConnection true for a failed dial or a lost connection, which a fresh connection proves to be over;
   *   false for what a connected server did: answered UNAVAILABLE, or not in time.
   */
  fail(isProbe: boolean, isOfConnection = false): void {
    if (isProbe) this.#probesInFlight -= 1;
    this.#isServersFault ||= !isOfConnection;
    if (this.#state.word === "closed") {
      // Beyond its threshold the strategy goes on saying yes, so the next failure asks the floor again.
      if (this.#strategy.failure() && this.#deps.mayOpen()) this.#open(1);
    } else if (isProbe && this.#state.word === "half-open") {
      if (this.#deps.mayOpen()) this.#open(this.#state.openedTimes + 1);
      else this.#change(CLOSED);
    }
  }

  /** The attempt ended in a way that says nothing about the endpoint: cancelled, or the call's deadline passed. */
  abandon(isProbe: boolean): void {
    if (isProbe) this.#probesInFlight -= 1;
  }

  /**
   * A fresh connection came up: reason enough to try an open endpoint before its time, and to close where only dials
   * and lost connections had opened it. Then a burst after an outage need not wait for a probe.
   */
  reconnected(): void {
    if (this.#state.word !== "open") return;
    if (this.#isServersFault && this.#deps.mayOpen()) return this.#halfOpen(this.#state);
    this.#strategy.success();
    this.#change(CLOSED);
  }

  #hasFreePermit(): boolean {
    const now = this.#deps.clock.now();
    // A probe that says nothing for that long, such as a watch on which nothing happens, does not keep all others out.
    const isSilent = now - this.#probedAt >= this.#options.openMs;
    if (this.#probesInFlight >= this.#options.probes && !isSilent) return false;
    return this.#state.word !== "open" || now >= this.#state.reopenAt;
  }

  #halfOpen({ openedTimes }: Open): void {
    this.#change({ word: "half-open", openedTimes });
  }

  #open(openedTimes: number): void {
    const { openMs, maxOpenMs } = this.#options;
    const capped = Math.min(openMs * 2 ** (openedTimes - 1), maxOpenMs);
    // After the cap, or all breakers of a long outage would probe in step.
    const retryInMs = capped * (0.8 + 0.4 * this.#deps.random.next());
    this.#change({ word: "open", reopenAt: this.#deps.clock.now() + retryInMs, openedTimes }, retryInMs);
  }

  #change(to: Closed | Open | HalfOpen, retryInMs?: number): void {
    const from = this.#state;
    this.#state = to;
    this.#deps.onChange(from.word, to.word, retryInMs);
  }
}
