import type { InterceptorOptions, StatusObject } from "@grpc/grpc-js";
import { SettingsDeadline } from "../../call/index.js";
import { deadlineToEpochMs } from "../../core/index.js";
import { isReported } from "../plain/local-failure.js";

/** On the options of every attempt. By global symbol, so that two copies of this package know each other. */
const REPEATS = Symbol.for("holdfast.repeats");

export type RepeatKind = "retry" | "hedging";
type MarkedOptions = InterceptorOptions & { readonly [REPEATS]?: RepeatKind };

/** What grpc-js puts on the status of a call that its own service config has repeated. */
const EARLIER_ATTEMPTS_KEY = "grpc-previous-rpc-attempts";

/** Who repeats the call already, above the interceptor that asks; undefined for nobody. */
export function repeatedAbove(options: InterceptorOptions): RepeatKind | undefined {
  return (options as MarkedOptions)[REPEATS];
}

export function markRepeated(options: InterceptorOptions, kind: RepeatKind): InterceptorOptions {
  const marked: MarkedOptions = { ...options, [REPEATS]: kind };
  return marked;
}

/**
 * True for a failure that something below has decided not to repeat, or to repeat no more: a channel of ours, another
 * retry interceptor, a service config. Repeating it here would multiply attempts (G23).
 */
export function isRepeatedBelow(status: StatusObject): boolean {
  if (isReported(status) && status.attempts.length > 0) return true;
  return status.metadata.get(EARLIER_ATTEMPTS_KEY).length > 0;
}

/**
 * Options by which a channel of ours below makes each attempt once. Hedges start before any status could tell that
 * there is one. A call without a deadline stays without: a header with a made-up one would be sent for it.
 */
export function withoutRepeatsBelow(options: InterceptorOptions): InterceptorOptions {
  const { deadline } = options;
  const once = { retry: false, hedging: false } as const;
  if (deadline instanceof SettingsDeadline) {
    const settings = { ...deadline.settings, ...once };
    return { ...options, deadline: new SettingsDeadline(deadline.getTime(), settings) };
  }
  const epochMs = deadlineToEpochMs(deadline ?? Number.POSITIVE_INFINITY);
  if (!Number.isFinite(epochMs)) return options;
  return { ...options, deadline: new SettingsDeadline(epochMs, { deadline: epochMs, ...once }) };
}

/** Says once that an interceptor is not needed where it stands. */
export class StackGuard {
  #isSaid = false;
  /** Methods of which a layer below was met that repeats them: a service config names some, a channel of ours all. */
  readonly #below = new Set<string>();

  constructor(private readonly name: string) {}

  isRepeatedBelow(method: string): boolean {
    return this.#below.has(method);
  }

  /**
   * A layer below has repeated this call: later ones of its method pass as they are.
   * @param isCertain false where only a trailer says so, which any server may hand on from a call of its own
   */
  noteBelow(method: string, isCertain: boolean): void {
    if (isCertain) this.#below.add(method);
    this.warn("the layer below it repeats calls already");
  }

  warn(why: string): void {
    if (this.#isSaid) return;
    this.#isSaid = true;
    process.emitWarning(
      `${this.name} lets a call pass as it is: ${why}, and two layers would multiply attempts`,
      "HoldfastWarning",
    );
  }
}
