import type { Timer } from "../../core/index.js";
import type { ResolvedDiscoveryOptions } from "../discovery-options.js";
import { ListenerGate } from "../listener-gate.js";
import { lookupBackoffMs } from "../lookup-backoff.js";
import type { Resolver, ResolverDeps, ResolverListener } from "../resolver.js";
import type { DnsTarget } from "../target-kinds.js";
import { createQuestion, type MakeQueries } from "./create-question.js";
import type { DnsAnswer, DnsQuestion } from "./dns-answer.js";
import { nextLookupMs } from "./refresh-pace.js";

type State =
  | { readonly kind: "new" }
  | {
      readonly kind: "looking";
      readonly lookup: number;
      readonly timeout: Timer;
      readonly isAgainWanted: boolean;
    }
  /** An answer is in and nobody has asked for another; the next may start at `untilMs`, and does when the timer fires. */
  | { readonly kind: "resting"; readonly untilMs: number; readonly timer: Timer | null }
  /** The next lookup is wanted, its timer runs. */
  | { readonly kind: "waiting"; readonly timer: Timer }
  | { readonly kind: "closed" };

/**
 * Looks a name up: at the start, then at its own pace while all is well, and whenever `refresh()` asks, one lookup at a
 * time and never sooner than `minIntervalMs` after an answer. A failed lookup is reported and repeated with backoff until
 * one succeeds, since whoever asked still has no answer. Its timers do not keep the process alive.
 */
export class DnsResolver implements Resolver {
  readonly target: string;
  readonly #host: string;
  readonly #question: DnsQuestion;
  readonly #deps: ResolverDeps;
  readonly #options: ResolvedDiscoveryOptions;
  readonly #gate: ListenerGate;
  #state: State = { kind: "new" };
  /** Lookups started, which numbers them. */
  #lookups = 0;
  /** The newest lookup that brought an answer. */
  #newestAnswered = 0;
  #failuresInARow = 0;

  /** @param makeQueries replaces Node's DNS client */
  constructor(
    target: DnsTarget,
    deps: ResolverDeps,
    options: ResolvedDiscoveryOptions,
    makeQueries?: MakeQueries,
  ) {
    this.target = target.canonical;
    this.#host = target.host;
    this.#question = createQuestion(target, deps, options, makeQueries);
    this.#deps = deps;
    this.#options = options;
    this.#gate = new ListenerGate(target.canonical);
  }

  start(listener: ResolverListener): void {
    this.#gate.open(listener);
    this.#look();
  }

  refresh(): void {
    const state = this.#state;
    if (state.kind === "looking") this.#state = { ...state, isAgainWanted: true };
    else if (state.kind === "resting") {
      state.timer?.cancel();
      this.#lookAfter(state.untilMs - this.#deps.clock.now());
    }
  }

  close(): void {
    release(this.#state);
    this.#state = { kind: "closed" };
    this.#gate.close();
    this.#question.cancel();
  }

  #lookAfter(delayMs: number): void {
    if (delayMs <= 0) this.#look();
    else this.#state = { kind: "waiting", timer: this.#deps.clock.setTimer(() => this.#look(), delayMs) };
  }

  #look(): void {
    const lookup = ++this.#lookups;
    const { lookupTimeoutMs } = this.#options;
    const late = new Error(`the lookup of "${this.#host}" gave no answer within ${lookupTimeoutMs} ms`);
    const timeout = this.#deps.clock.setTimer(() => this.#fail(lookup, late), lookupTimeoutMs);
    this.#state = { kind: "looking", lookup, timeout, isAgainWanted: false };
    this.#question.ask().then(
      (answer) => this.#succeed(lookup, answer),
      (error: unknown) => this.#fail(lookup, asError(error, this.#host)),
    );
  }

  /**
   * Also takes an answer that comes after its timeout, unless a newer lookup was faster: with the first server of
   * resolv.conf dead every answer takes over 5 s, and dropping those would never resolve anything.
   */
  #succeed(lookup: number, { endpoints, ttlMs }: DnsAnswer): void {
    if (this.#state.kind === "closed" || lookup < this.#newestAnswered) return;
    this.#newestAnswered = lookup;
    this.#failuresInARow = 0;
    // While a newer lookup is under way, that one goes on and sets the pace.
    if (this.#state.kind !== "looking" || this.#state.lookup === lookup) this.#rest(this.#state, ttlMs);
    this.#gate.endpoints(endpoints);
  }

  #rest(before: State, ttlMs: number | null): void {
    const { clock, random } = this.#deps;
    const { minIntervalMs } = this.#options;
    release(before);
    if (before.kind === "looking" && before.isAgainWanted) return this.#lookAfter(minIntervalMs);
    const nextMs = nextLookupMs(ttlMs, this.#options, random);
    const timer = nextMs === null ? null : clock.setTimer(() => this.#look(), nextMs);
    this.#state = { kind: "resting", untilMs: clock.now() + minIntervalMs, timer };
  }

  #fail(lookup: number, error: Error): void {
    const state = this.#state;
    // A lookup that fails after its timeout was counted then.
    if (state.kind !== "looking" || state.lookup !== lookup) return;
    state.timeout.cancel();
    this.#failuresInARow++;
    this.#lookAfter(lookupBackoffMs(this.#failuresInARow, this.#deps.random));
    this.#gate.error(error);
  }
}

function release(state: State): void {
  if (state.kind === "looking") state.timeout.cancel();
  if (state.kind === "waiting") state.timer.cancel();
  if (state.kind === "resting") state.timer?.cancel();
}

function asError(error: unknown, host: string): Error {
  return error instanceof Error ? error : new Error(`the lookup of "${host}" failed: ${String(error)}`);
}
