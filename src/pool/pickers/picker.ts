import type { Endpoint } from "../../core/index.js";

/** An endpoint as a load-balancing policy sees it. */
export interface Candidate {
  readonly endpoint: Endpoint;
}

/** Asked for each candidate in turn, synchronously, without allocating. */
export interface PickFilter<C extends Candidate> {
  accepts(candidate: C): boolean;
}

/**
 * Chooses where one attempt goes among a fixed set of READY endpoints. A picker is an immutable snapshot: when the
 * set changes a new one replaces it whole, and `previous` lets a policy carry its position over.
 */
export interface Picker<C extends Candidate> {
  /** An accepted candidate, or null when the filter accepts none. */
  pick(filter: PickFilter<C>): C | null;
}

/** How many endpoints a policy keeps connected: all of them, or the first that answers. */
export type ConnectScope = "all" | "first";

export interface PickerPolicy {
  readonly name: string;
  readonly connects: ConnectScope;
  create<C extends Candidate>(
    candidates: readonly C[],
    previous: Picker<C> | null,
    firstRoll: number,
  ): Picker<C>;
}
