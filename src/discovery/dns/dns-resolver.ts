import type { Endpoint, Timer } from "../../core/index.js";
import type { ResolvedDiscoveryOptions } from "../discovery-options.js";
import { ListenerGate } from "../listener-gate.js";
import { lookupBackoffMs } from "../lookup-backoff.js";
import type { Resolver, ResolverDeps, ResolverListener } from "../resolver.js";
import type { DnsTarget } from "../target-kinds.js";
import { endpointsOf } from "./dns-answer.js";

type State =
  | { readonly kind: "new" }
  | {
      readonly kind: "looking";
      readonly lookup: number;
      readonly timeout: Timer;
      readonly isAgainWanted: boolean;
    }
  /** An answer is in and nobody has asked for another; the next may start at `untilMs`. */
  | { readonly kind: "resting"; readonly untilMs: number }
  /** The next lookup is certain, its timer runs. */
  | { readonly kind: "waiting"; readonly timer: Timer }
  | { readonly kind: "closed" };

/**
 * Looks a host name up: once at the start, then whenever `refresh()` asks, one lookup at a time and never sooner
 * than `minIntervalMs` after an answer. A failed lookup is reported and repeated with backoff until one succeeds,
 * since whoever asked still has no answer. Its timers do not keep the process alive.
 */
export class DnsResolver implements Resolver {
  readonly target: string;
  readonly #host: string;
  readonly #port: number;
  /** The name as gRPC sends it as `:authority`: with the port only where the target names one. */
  readonly #serverName: string;
  readonly #deps: ResolverDeps;
  readonly #options: ResolvedDiscoveryOptions;
  readonly #gate: ListenerGate;
  #state: State = { kind: "new" };
  /** Lookups started, which numbers them. */
  #lookups = 0;
  /** The newest lookup that brought an answer. */
  #newestAnswered = 0;
  #failuresInARow = 0;

  constructor(target: DnsTarget, deps: ResolverDeps, options: ResolvedDiscoveryOptions) {
    this.target = target.canonical;
    this.#host = target.host;
    this.#port = target.port ?? 0;
    this.#serverName = target.defaultAuthority;
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
    else if (state.kind === "resting") this.#lookAfter(state.untilMs - this.#deps.clock.now());
  }

  close(): void {
    if (this.#state.kind === "looking") this.#state.timeout.cancel();
    if (this.#state.kind === "waiting") this.#state.timer.cancel();
    this.#state = { kind: "closed" };
    this.#gate.close();
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
    this.#ask().then(
      (endpoints) => this.#succeed(lookup, endpoints),
      (error: unknown) => this.#fail(lookup, asError(error, this.#host)),
    );
  }

  /** Async, so that a lookup function that throws counts as one that rejects. */
  async #ask(): Promise<Endpoint[]> {
    return endpointsOf(this.#serverName, this.#port, await this.#deps.lookup(this.#host));
  }

  /**
   * Also takes an answer that comes after its timeout, unless a newer lookup was faster: with the first server of
   * resolv.conf dead every answer takes over 5 s, and dropping those would never resolve anything.
   */
  #succeed(lookup: number, endpoints: readonly Endpoint[]): void {
    if (this.#state.kind === "closed" || lookup < this.#newestAnswered) return;
    this.#newestAnswered = lookup;
    this.#failuresInARow = 0;
    // While a newer lookup is under way, that one goes on and sets the pace.
    if (this.#state.kind !== "looking" || this.#state.lookup === lookup) this.#rest(this.#state);
    this.#gate.endpoints(endpoints);
  }

  #rest(before: State): void {
    const { minIntervalMs } = this.#options;
    if (before.kind === "looking") before.timeout.cancel();
    if (before.kind === "waiting") before.timer.cancel();
    this.#state = { kind: "resting", untilMs: this.#deps.clock.now() + minIntervalMs };
    if (before.kind === "looking" && before.isAgainWanted) this.#lookAfter(minIntervalMs);
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

function asError(error: unknown, host: string): Error {
  return error instanceof Error ? error : new Error(`the lookup of "${host}" failed: ${String(error)}`);
}
