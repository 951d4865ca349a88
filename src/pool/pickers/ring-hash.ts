import type { Random } from "../../core/index.js";
import { Xxh64 } from "./hash.js";
import type { Candidate, PickCall, Picker, PickerInput, PickerPolicy, PickFilter } from "./picker.js";
import type { Ring } from "./ring.js";
import {
  type ResolvedConsistentHashOptions,
  type ResolvedRingHashOptions,
  type RingOptions,
  ringSizeOf,
} from "./ring-hash-options.js";
import { LoadBound } from "./ring-load.js";
import { RingPlacement } from "./ring-placement.js";

/**
 * Calls with the same key go to the same endpoint, and when one of n comes or goes, about one key in n moves (gRFC A42).
 * A pick is a search in a sorted list; it allocates nothing, but for keys that are long or not ASCII.
 */
class RingHashPicker<C extends Candidate> implements Picker<C> {
  /** In the ring's order. */
  readonly #candidates: readonly C[];
  readonly #placement: RingPlacement;
  readonly #ring: Ring;
  readonly #bound: LoadBound<C> | null;
  readonly #header: string | null;
  readonly #random: Random;
  readonly #hash: Xxh64;
  /** True once a connection is on its way that calls without a key asked for; null when that is not known yet. */
  #isWarming: boolean | null = null;

  constructor({ candidates, previous, random }: PickerInput<C>, options: RingOptions) {
    const { boundedLoadFactor } = options;
    const last = previous instanceof RingHashPicker ? previous : null;
    const placement = last === null ? null : last.#placement;
    this.#placement = RingPlacement.of(candidates, placement, ringSizeOf(options));
    this.#ring = this.#placement.ring;
    this.#candidates = this.#placement.arrange(candidates);
    this.#bound =
      boundedLoadFactor === null
        ? null
        : new LoadBound(boundedLoadFactor, this.#candidates, this.#ring.members);
    this.#header = options.requestHashHeader;
    this.#random = random;
    this.#hash = last === null ? new Xxh64() : last.#hash;
  }

  /** By the half of the hash that the ring does not go by, or the keys of one arc would be the ones to leave. */
  draw(call: PickCall): number | null {
    const key = this.#keyOf(call);
    if (key === null) return null;
    this.#hash.update(key);
    return (this.#hash.low >>> 0) / 2 ** 32;
  }

  pick(filter: PickFilter<C>, call: PickCall): C | null {
    const key = this.#keyOf(call);
    const hash = this.#hash;
    if (key !== null) hash.update(key);
    // As signed words: half of the unsigned ones would each be an object on the heap.
    const high = (key === null ? Math.floor(this.#random.next() * 2 ** 32) : hash.high) | 0;
    const low = (key === null ? 0 : hash.low) | 0;
    const bound = this.#bound;
    bound?.beginPick(call.now);
    const chosen = this.#walk(high, low, filter, key !== null, call.path);
    if (chosen?.state === "READY" || bound === null || !bound.hasRefused) return chosen;
    // With sums that are not of this very moment, none may have room though one has.
    bound.sum(filter);
    return this.#walk(high, low, filter, key !== null, call.path);
  }

  #keyOf(call: PickCall): string | null {
    return call.hashKey ?? (this.#header === null ? null : call.header(this.#header));
  }

  #walk(high: number, low: number, filter: PickFilter<C>, hasKey: boolean, path: string): C | null {
    const ring = this.#ring;
    let waiting: C | null = null;
    ring.seek(high, low);
    for (let index = ring.next(); index >= 0; index = ring.next()) {
      const candidate = this.#candidates[index] as C;
      const { state } = candidate;
      if (state === "READY") {
        if (filter.accepts(candidate) && this.#bound?.hasRoom(index, filter) !== false) return candidate;
      } else if ((state === "IDLE" || state === "CONNECTING") && !candidate.isBarred(path)) {
        if (hasKey || (state === "IDLE" && this.#mayWarm())) return candidate;
        if (waiting === null || (waiting.state === "IDLE" && state === "CONNECTING")) waiting = candidate;
      }
    }
    return waiting;
  }

  /**
   * Calls without a key take a READY endpoint, but they too must connect one now and then, or all would end at the first
   * one: while nothing is being connected, the first of a snapshot answers the IDLE one it meets (gRFC A76).
   */
  #mayWarm(): boolean {
    const isWarming = this.#isWarming ?? this.#candidates.some(({ state }) => state === "CONNECTING");
    this.#isWarming = true;
    return !isWarming;
  }
}

/** gRPC's `ring_hash`, with bounded load or a fixed number of entries per endpoint when asked for. */
export function ringHash(options: ResolvedRingHashOptions): PickerPolicy {
  return policyOf("ring_hash", options);
}

/** The same with a ring on which as few keys move as can be when endpoints come and go. */
export function consistentHash(options: ResolvedConsistentHashOptions): PickerPolicy {
  return policyOf("consistent_hash", options);
}

function policyOf(name: string, options: RingOptions): PickerPolicy {
  return { name, connects: "picked", create: (input) => new RingHashPicker(input, options) };
}
