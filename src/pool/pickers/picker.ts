import type { Clock, ConnectivityWord, Endpoint, Random } from "../../core/index.js";

/** An endpoint as a load-balancing policy sees it. Its numbers change while a picker holds it. */
export interface Candidate {
  readonly endpoint: Endpoint;
  readonly state: ConnectivityWord;
  /** Attempts in flight there, over all its connections. */
  readonly inFlight: number;
  /** Monotonic ms at which the last attempt that succeeded here was started; 0 before the first. */
  readonly lastSuccessAt: number;
  /**
   * Exponentially weighted latency of its attempts in ms, which falls while none is made; -1 before the first, as a
   * null would put every number on the heap.
   * @param now monotonic ms
   */
  latencyMs(now: number): number;
  /**
   * Weight from the load it reports (gRFC A58), 0 while that is not usable.
   * @param now monotonic ms
   */
  reportedWeight(now: number): number;
  /**
   * True while its breaker or its ejection keeps calls of this method away, and from a failed dial until it is READY
   * again, whatever it does meanwhile: a policy that connects as picked must not
   * answer it while it is IDLE or CONNECTING. For READY ones the filter knows.
   */
  isBarred(path: string): boolean;
}

/** Asked for each candidate in turn, synchronously, without allocating. */
export interface PickFilter<C extends Candidate = Candidate> {
  accepts(candidate: C): boolean;
}

/** The call that asks for an endpoint. */
export interface PickCall {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** What the caller gave as `hashKey`; null without. */
  readonly hashKey: string | null;
  /** Monotonic ms of the pick: asking a clock once more would cost an object on the heap. */
  readonly now: number;
  /** A request header's values joined by commas; null when it is not set. */
  header(name: string): string | null;
}

/**
 * Chooses where one attempt goes among a fixed set of endpoints. A picker is an immutable snapshot: when the set
 * changes a new one replaces it whole, and `previous` lets a policy carry its position over.
 */
export interface Picker<C extends Candidate = Candidate> {
  /**
   * An accepted candidate, or null when the filter accepts none. A policy that connects as picked may also answer one
   * that is IDLE or CONNECTING: it is connected, and the call waits for it.
   */
  pick(filter: PickFilter<C>, call: PickCall): C | null;
  /**
   * A number in [0, 1) that is the same for calls that belong together: where some of the calls go to another zone, it
   * decides which. Null, or absent, where chance may.
   */
  draw?(call: PickCall): number | null;
}

/**
 * Which endpoints a policy keeps connected: all of them, or the first that answers; its pickers are made of the READY
 * ones. "picked" connects none by itself, and its pickers are made of all endpoints in whatever state.
 */
export type ConnectScope = "all" | "first" | "picked";

/** What a picker is made of. */
export interface PickerInput<C extends Candidate = Candidate> {
  /** In the resolver's order, at least one. */
  readonly candidates: readonly C[];
  /** The picker that this one replaces; null for the first. */
  readonly previous: Picker<C> | null;
  readonly clock: Clock;
  readonly random: Random;
}

/** A load-balancing policy with its options, as one channel uses it. */
export interface PickerPolicy {
  readonly name: string;
  readonly connects: ConnectScope;
  /** True where the endpoints are tried in an order drawn by lot, for each update anew. */
  readonly isShuffled?: boolean;
  /** Set when it reads `reportedWeight`, to where the reports come from. */
  readonly loadReports?: LoadReportSource;
  create<C extends Candidate>(input: PickerInput<C>): Picker<C>;
}

/** How endpoints report their load (gRFC A51), and what weight is made of it (gRFC A58). */
export interface LoadReportSource {
  /** True for a stream of reports per endpoint, false for the trailing metadata of each call. */
  readonly isOutOfBand: boolean;
  readonly oobReportingPeriodMs: number;
  readonly blackoutMs: number;
  readonly weightExpirationMs: number;
  readonly errorUtilizationPenalty: number;
  readonly metricNames: readonly string[];
}
