import { type BreakerStateWord, type Clock, type Random, Subscription } from "../core/index.js";
import type { BreakerRule, ResolvedBreakerOptions } from "./breaker-options.js";
import { createStrategy } from "./create-strategy.js";
import { SlowCalls } from "./slow-calls.js";
import type { BreakerStrategy } from "./strategy.js";

export interface BreakerDeps {
  readonly clock: Clock;
  readonly random: Random;
  /**
   * The panic floor: may this endpoint be out of use beside the others that are (open or half-open)? The asking
   * endpoint is not counted as out, whatever its state: it is asked again when a probe fails.
   */
  mayOpen(): boolean;
  /** Told after every change; `retryInMs` comes with an "open" that time or a health check ends. */
  onChange(from: BreakerStateWord, to: BreakerStateWord, retryInMs?: number): void;
}

/** `probedBy` is for those who have health checks. */
export type BreakerSettings = BreakerRule & Partial<Pick<ResolvedBreakerOptions, "probedBy">>;

type Closed = { readonly word: "closed" };
type Open = {
  readonly word: "open";
  /** Instant of the monotonic clock from which on a probe is let through. */
  readonly reopenAt: number;
};
type HalfOpen = { readonly word: "half-open" };
type Isolated = {
  readonly word: "isolated";
  readonly before: Closed | Open | HalfOpen;
  /** Subscriptions that are not disposed yet. */
  holders: number;
};

/** One object for all, so that the hot path compares an identity. */
const CLOSED: Closed = Object.freeze({ word: "closed" });
const HALF_OPEN: HalfOpen = Object.freeze({ word: "half-open" });

/**
 * The circuit breaker of one endpoint: closed, open after enough failures or slow answers, half-open while probes find
 * out whether the endpoint is back. It has no timers: an open breaker turns half-open when a pick takes the first probe.
 * Every `acquire()` is followed by exactly one of `succeed`, `fail` and `abandon`, with what `acquire` returned.
 */
export class Breaker {
  readonly #options: BreakerSettings;
  readonly #deps: BreakerDeps;
  /** Made by the first call, and dropped to forget all: an endpoint that is never called costs no window. */
  #strategy: BreakerStrategy | null = null;
  #slowCalls: SlowCalls | null = null;
  #state: Closed | Open | HalfOpen | Isolated = CLOSED;
  /** Times opened since the last success; each one doubles the wait. */
  #openings = 0;
  /** Permits in use. Not part of the half-open state: with several probes, one may outlive the state it began in. */
  #probesInFlight = 0;
  /** Instant at which the last probe was let through. */
  #probedAt = 0;
  /** Of what the strategy still counts, a part may be the fault of a connected server. */
  #isServersFault = false;

  constructor(options: BreakerSettings, deps: BreakerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** An open breaker whose time is up still says "open", until a probe is taken. */
  get state(): BreakerStateWord {
    return wordOf(this.#state);
  }

  /**
   * Instant of the monotonic clock at which a probe will be let through, or a health check be believed, in
   * milliseconds; null unless open, and null while isolated by hand.
   */
  get retryAt(): number | null {
    return this.#state.word === "open" ? this.#state.reopenAt : null;
  }

  /** Out of use by hand. */
  get isIsolated(): boolean {
    return this.#state.word === "isolated";
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
    if (this.#state.word === "open") this.#change(HALF_OPEN);
    return true;
  }

  /**
   * The attempt got an answer from the endpoint, be it an application's error.
   * @param ms how long the answer took; undefined where that says nothing about the endpoint
   */
  succeed(isProbe: boolean, ms?: number): void {
    if (isProbe) this.#probesInFlight -= 1;
    if (this.#state === CLOSED) this.#countSuccess(ms);
    else if (isProbe && this.#state.word === "half-open") {
      const limitMs = this.#options.slowCalls?.slowerThanMs ?? Number.POSITIVE_INFINITY;
      if (ms !== undefined && ms > limitMs) this.#failProbe(true);
      else this.#recover();
    }
  }

  /**
   * The attempt met an infrastructure failure.
   * @param isOfConnection true for a failed dial or a lost connection, which a fresh connection proves to be over;
   *   false for what a connected server did: answered UNAVAILABLE, or not in time.
   */
  fail(isProbe: boolean, isOfConnection = false): void {
    if (isProbe) this.#probesInFlight -= 1;
    if (this.#state.word === "isolated") return;
    if (isProbe && this.#state.word === "half-open") return this.#failProbe(!isOfConnection);
    this.#isServersFault ||= !isOfConnection;
    if (this.#state === CLOSED) {
      this.#strategy ??= createStrategy(this.#options, this.#deps.clock);
      // Beyond its threshold the strategy goes on saying yes, so the next failure asks the floor again.
      if (this.#strategy.failure() && this.#deps.mayOpen()) this.#open();
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
    if (this.#isServersFault && this.#deps.mayOpen()) this.#change(HALF_OPEN);
    else this.#recover();
  }

  /**
   * The endpoint is healthy at this instant. Closes a breaker with `probedBy: "health"`, once its time is up; before
   * that nothing is kept of it, so tell it again and again, or a server that is healthy and yet fails its calls would
   * get them all back at once.
   */
  healthy(): void {
    if (this.#options.probedBy !== "health") return;
    const state = this.#state;
    const isDue = state.word === "open" && this.#deps.clock.now() >= state.reopenAt;
    if (isDue || state.word === "half-open") this.#close();
  }

  /**
   * Takes the endpoint out of use by hand, whatever the panic floor says, until all that was returned is disposed. Then
   * it is as it was before; attempts that end meanwhile change nothing.
   */
  isolate(): Subscription {
    const before = this.#state;
    if (before.word === "isolated") before.holders += 1;
    else this.#change({ word: "isolated", before, holders: 1 });
    return new Subscription(() => {
      const state = this.#state;
      if (state.word !== "isolated") return;
      state.holders -= 1;
      if (state.holders === 0) this.#change(state.before);
    });
  }

  #hasFreePermit(): boolean {
    if (this.#state.word === "isolated" || this.#options.probedBy === "health") return false;
    const now = this.#deps.clock.now();
    // A probe that says nothing for that long, such as a watch on which nothing happens, does not keep all others out.
    const isSilent = now - this.#probedAt >= this.#options.openMs;
    if (this.#probesInFlight >= this.#options.probes && !isSilent) return false;
    return this.#state.word !== "open" || now >= this.#state.reopenAt;
  }

  #countSuccess(ms: number | undefined): void {
    const { consecutiveFailures, slowCalls } = this.#options;
    this.#openings = 0;
    if (consecutiveFailures !== undefined) this.#isServersFault = false;
    this.#strategy ??= createStrategy(this.#options, this.#deps.clock);
    this.#strategy.success();
    if (slowCalls === undefined || ms === undefined) return;
    this.#slowCalls ??= new SlowCalls(slowCalls);
    if (!this.#slowCalls.record(ms) || !this.#deps.mayOpen()) return;
    this.#isServersFault = true;
    this.#open();
  }

  #failProbe(isServersFault: boolean): void {
    this.#isServersFault ||= isServersFault;
    if (this.#deps.mayOpen()) this.#open();
    else this.#change(CLOSED);
  }

  #open(): void {
    const { openMs, maxOpenMs } = this.#options;
    const capped = Math.min(openMs * 2 ** this.#openings, maxOpenMs);
    this.#openings += 1;
    // After the cap, or all breakers of a long outage would probe in step.
    const retryInMs = capped * (0.8 + 0.4 * this.#deps.random.next());
    this.#change({ word: "open", reopenAt: this.#deps.clock.now() + retryInMs }, retryInMs);
  }

  /** The endpoint is proven to be back. */
  #recover(): void {
    this.#openings = 0;
    this.#close();
  }

  /** What was counted before led to the outage that is over. */
  #close(): void {
    this.#strategy = null;
    this.#slowCalls = null;
    this.#isServersFault = false;
    this.#change(CLOSED);
  }

  #change(to: Closed | Open | HalfOpen | Isolated, retryInMs?: number): void {
    const from = wordOf(this.#state);
    this.#state = to;
    // Isolating what is open already changes nothing to be seen.
    if (from !== wordOf(to)) this.#deps.onChange(from, wordOf(to), retryInMs);
  }
}

function wordOf(state: Closed | Open | HalfOpen | Isolated): BreakerStateWord {
  return state.word === "isolated" ? "open" : state.word;
}
