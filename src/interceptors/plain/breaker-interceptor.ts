import {
  type Interceptor,
  type InterceptorOptions,
  type Metadata,
  type NextCall,
  status as Status,
  type StatusObject,
} from "@grpc/grpc-js";
import { Breaker, type BreakerSettings } from "../../breaker/index.js";
import {
  type BreakerStateWord,
  type Clock,
  EventHub,
  parseOptions,
  type Subscription,
} from "../../core/index.js";
import { verdictOf } from "./breaker-verdict.js";
import { asInterceptingCall } from "./call-types.js";
import { type ChanceCollaborators, withDefaults } from "./collaborators.js";
import { PlainCall } from "./plain-call.js";
import { type BreakerInterceptorOptions, breakerInterceptorOptionsSchema } from "./plain-options.js";

/** A breaker of an interceptor changed its state. */
export interface BreakerChange {
  /** Full path of the method; null for the one breaker of the target. */
  readonly method: string | null;
  readonly from: BreakerStateWord;
  readonly to: BreakerStateWord;
  /** For "open": how long until a probe is let through. */
  readonly retryInMs?: number;
}

/** The interceptor, and a view of its breakers. `method` is needed, and looked at, only with one for each method. */
export interface BreakerInterceptor extends Interceptor {
  /** @param method `package.Service/Method`; a method that was not called yet is "closed" */
  state(method?: string): BreakerStateWord;
  /** Milliseconds until an open breaker lets a probe through; null unless open. */
  retryInMs(method?: string): number | null;
  /** Told after every change of a state. */
  onChange(listener: (change: BreakerChange) => void): Subscription;
}

/** A breaker, and what is needed to count a lost connection once. */
interface Guard {
  readonly breaker: Breaker;
  /** Calls let through so far. */
  calls: number;
  /** Calls up to this one were under way when a connection was lost the last time. */
  lostUpTo: number;
}

/**
 * Stops calling a target that is down: after enough infrastructure failures calls fail at once with
 * `CIRCUIT_OPEN` and `retryAt`, until a probe finds the target back. Make one for each client.
 *
 * @throws ResilienceError `CONFIG_INVALID` naming each bad key
 */
export function breakerInterceptor(
  options: BreakerInterceptorOptions = {},
  collaborators: ChanceCollaborators = {},
): BreakerInterceptor {
  const { per, ...resolved } = parseOptions(breakerInterceptorOptionsSchema, options, "breakerInterceptor");
  const deps = withDefaults(collaborators);
  const changes = new EventHub<BreakerChange>();
  const guards = new Map<string | null, Guard>();
  const keyOf = (method: string | undefined): string | null =>
    per === "target" || method === undefined ? null : `/${method.replace(/^\//, "")}`;
  const guardFor = (key: string | null): Guard => {
    const known = guards.get(key);
    if (known !== undefined) return known;
    const guard = { breaker: makeBreaker(key, resolved, deps, changes), calls: 0, lostUpTo: 0 };
    guards.set(key, guard);
    return guard;
  };
  const interceptor: Interceptor = (call, nextCall) => {
    const guard = guardFor(keyOf(call.method_definition.path));
    return asInterceptingCall(new GuardedCall(call, nextCall, deps.clock, guard));
  };
  return Object.assign(interceptor, {
    state: (method?: string) => guards.get(keyOf(method))?.breaker.state ?? "closed",
    retryInMs: (method?: string) => {
      const retryAt = guards.get(keyOf(method))?.breaker.retryAt ?? null;
      return retryAt === null ? null : Math.max(0, retryAt - deps.clock.now());
    },
    onChange: (listener: (change: BreakerChange) => void) => changes.subscribe(listener),
  });
}

function makeBreaker(
  method: string | null,
  options: BreakerSettings,
  deps: Required<ChanceCollaborators>,
  changes: EventHub<BreakerChange>,
): Breaker {
  return new Breaker(options, {
    ...deps,
    // One target and no other endpoint to spare: there is no panic floor.
    mayOpen: () => true,
    onChange: (from, to, retryInMs) =>
      changes.emit({ method, from, to, ...(retryInMs === undefined ? {} : { retryInMs }) }),
  });
}

class GuardedCall extends PlainCall {
  readonly #guard: Guard;
  #isAdmitted = false;
  #isProbe = false;
  /** Which of the guard's calls this is. */
  #number = 0;
  /** How long the answer took to begin; undefined before that. */
  #answeredMs: number | undefined;

  constructor(options: InterceptorOptions, nextCall: NextCall, clock: Clock, guard: Guard) {
    super(options, nextCall, clock);
    this.#guard = guard;
  }

  protected begin(metadata: Metadata): void {
    const { breaker } = this.#guard;
    if (!breaker.admits()) return this.#refuse();
    this.#isAdmitted = true;
    this.#isProbe = breaker.acquire();
    this.#number = ++this.#guard.calls;
    this.proceed(metadata);
  }

  /** A probe has done its work once an answer begins, also where the answer is a stream that goes on for days. */
  protected override onAnswer(): void {
    this.#answeredMs = this.elapsedMs;
    if (!this.#isProbe) return;
    this.#isProbe = false;
    this.#guard.breaker.succeed(true, this.#answerMs);
  }

  protected override onEnd(status: StatusObject): StatusObject {
    if (!this.#isAdmitted) return status;
    const { breaker } = this.#guard;
    const verdict = verdictOf(status, this.evidence, this.cancelledWith);
    if (verdict === "success") breaker.succeed(this.#isProbe, this.#answerMs);
    else if (verdict === "failure") breaker.fail(this.#isProbe);
    else if (verdict === "loss" && this.#isNewLoss()) breaker.fail(this.#isProbe, true);
    else breaker.abandon(this.#isProbe);
    return status;
  }

  /** How long the target took; undefined where the caller's own messages took part of it. */
  get #answerMs(): number | undefined {
    const { requestStream, responseStream } = this.options.method_definition;
    if (requestStream) return undefined;
    return responseStream ? (this.#answeredMs ?? this.elapsedMs) : this.elapsedMs;
  }

  /** All calls on a connection tell of its loss: it counts once (R178), and a probe's counts always. */
  #isNewLoss(): boolean {
    if (!this.#isProbe && this.#number <= this.#guard.lostUpTo) return false;
    this.#guard.lostUpTo = this.#guard.calls;
    return true;
  }

  #refuse(): void {
    const { breaker } = this.#guard;
    const waitMs = breaker.retryAt === null ? null : Math.max(0, breaker.retryAt - this.clock.now());
    const details =
      waitMs === null
        ? "The circuit breaker is half-open, and enough probes are under way"
        : `The circuit breaker is open; a probe is let through in ${Math.ceil(waitMs)} ms`;
    const extra = waitMs === null ? {} : { retryAt: new Date(this.clock.epoch() + waitMs) };
    this.fail({ code: Status.UNAVAILABLE, reason: "CIRCUIT_OPEN", details, extra });
  }
}
