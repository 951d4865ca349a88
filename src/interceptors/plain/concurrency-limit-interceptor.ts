import { AsyncResource } from "node:async_hooks";
import {
  type Interceptor,
  type InterceptorOptions,
  type Metadata,
  type NextCall,
  status as Status,
  type StatusObject,
} from "@grpc/grpc-js";
import {
  ConcurrencyLimit,
  type ConcurrencyLimitOptions,
  concurrencyLimitOptionsSchema,
  type ResolvedConcurrencyLimitOptions,
} from "../../breaker/index.js";
import { type Clock, parseOptions, type Timer } from "../../core/index.js";
import { asInterceptingCall } from "./call-types.js";
import { type InterceptorCollaborators, withDefaults } from "./collaborators.js";
import { PlainCall } from "./plain-call.js";

/** How full a concurrency limit is. */
export interface ConcurrencyStats {
  readonly running: number;
  readonly queued: number;
  /** Calls refused since the start because the queue was full. */
  readonly refused: number;
}

/** The interceptor, and a view of its limit. */
export interface ConcurrencyLimitInterceptor extends Interceptor {
  stats(): ConcurrencyStats;
}

/**
 * Lets a fixed number of calls run at once; others wait in a bounded queue, in order, until their deadline, and fail
 * with `OVERLOADED` (RESOURCE_EXHAUSTED) when it is full. All clients it is given to share the limit.
 *
 * @throws ResilienceError `CONFIG_INVALID` naming each bad key
 */
export function concurrencyLimitInterceptor(
  options: ConcurrencyLimitOptions = {},
  collaborators: InterceptorCollaborators = {},
): ConcurrencyLimitInterceptor {
  const resolved = parseOptions(concurrencyLimitOptionsSchema, options, "concurrencyLimitInterceptor");
  const { clock } = withDefaults(collaborators);
  const limit = new ConcurrencyLimit<LimitedCall>(resolved);
  const interceptor: Interceptor = (call, nextCall) =>
    asInterceptingCall(new LimitedCall(call, nextCall, clock, limit, resolved));
  return Object.assign(interceptor, {
    stats: () => ({ running: limit.running, queued: limit.queued, refused: limit.refused }),
  });
}

/** Where a call stands with its limit. */
type Place =
  | { readonly kind: "none" }
  | { readonly kind: "queue"; readonly admit: () => void; readonly timer: Timer | null }
  | { readonly kind: "running" };

const NONE: Place = { kind: "none" };
const RUNNING: Place = { kind: "running" };

class LimitedCall extends PlainCall {
  #place: Place = NONE;
  readonly #limit: ConcurrencyLimit<LimitedCall>;
  readonly #settings: ResolvedConcurrencyLimitOptions;

  constructor(
    options: InterceptorOptions,
    nextCall: NextCall,
    clock: Clock,
    limit: ConcurrencyLimit<LimitedCall>,
    settings: ResolvedConcurrencyLimitOptions,
  ) {
    super(options, nextCall, clock);
    this.#limit = limit;
    this.#settings = settings;
  }

  protected begin(metadata: Metadata): void {
    const admission = this.#limit.enter(this);
    if (admission === "queued") return this.#queue(metadata);
    if (admission === "refused") {
      const { maxConcurrentCalls, maxQueuedCalls } = this.#settings;
      return this.#overloaded(`${maxConcurrentCalls} calls are running and ${maxQueuedCalls} are waiting`);
    }
    this.#place = RUNNING;
    this.proceed(metadata);
  }

  protected override onEnd(status: StatusObject): StatusObject {
    const place = this.#place;
    this.#place = NONE;
    if (place.kind === "queue") {
      place.timer?.cancel();
      this.#limit.giveUp(this);
    } else if (place.kind === "running") {
      const next = this.#limit.leave();
      if (next !== null) next.#onTurn();
    }
    return status;
  }

  #queue(metadata: Metadata): void {
    const { queueTimeoutMs, maxConcurrentCalls } = this.#settings;
    // Its owner may use it for the next call, with other values, before this one's turn.
    const own = metadata.clone();
    // Its turn comes in the context of the call that ends.
    const admit = AsyncResource.bind(() => this.proceed(own));
    const onTimeout = (): void =>
      this.#overloaded(
        `the call waited ${queueTimeoutMs} ms for one of ${maxConcurrentCalls} running calls to end`,
      );
    const timer =
      queueTimeoutMs === null ? null : this.clock.setTimer(onTimeout, queueTimeoutMs, { keepAlive: true });
    this.#place = { kind: "queue", admit, timer };
    this.startWait(`one of ${maxConcurrentCalls} running calls to end`);
  }

  /** The limit counts it as running from now on. */
  #onTurn(): void {
    const place = this.#place;
    this.#place = RUNNING;
    if (place.kind !== "queue") return;
    place.timer?.cancel();
    // In a turn of its own: calls that fail at once would else end each other, ever deeper in the stack.
    process.nextTick(place.admit);
  }

  #overloaded(why: string): void {
    this.fail({ code: Status.RESOURCE_EXHAUSTED, reason: "OVERLOADED", details: `Too many calls: ${why}` });
  }
}
