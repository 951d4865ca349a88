import { Dice } from "./dice.js";
import type { Candidate, PickCall, Picker, PickerInput, PickerPolicy, PickFilter } from "./picker.js";
import { sampleAccepted } from "./sample-accepted.js";

/** Latency of an endpoint whose first attempt is still out: more than any that is known, so that no second one follows. */
const UNMEASURED_MS = 1e12;
/** Less than any network takes. Where nobody was called for long all have faded to it, and calls in flight decide. */
const FADED_MS = 0.01;

/** Of two endpoints drawn by lot, the one that is likely to answer first: its latency times the calls before this one. */
class LeastLatencyPicker<C extends Candidate> implements Picker<C> {
  readonly #candidates: readonly C[];
  readonly #dice: Dice;

  constructor({ candidates, random }: PickerInput<C>) {
    this.#candidates = candidates;
    this.#dice = new Dice(random);
  }

  pick(filter: PickFilter<C>, { now }: PickCall): C | null {
    const first = sampleAccepted(this.#candidates, filter, this.#dice);
    if (first === null) return null;
    const second = sampleAccepted(this.#candidates, filter, this.#dice);
    if (second === null || second === first) return first;
    return costOf(second, now) < costOf(first, now) ? second : first;
  }
}

/** An endpoint that nobody has tried costs nothing, which gets it its first attempt. */
function costOf(candidate: Candidate, now: number): number {
  const { inFlight } = candidate;
  const latencyMs = candidate.latencyMs(now);
  if (latencyMs < 0) return UNMEASURED_MS * inFlight;
  return Math.max(FADED_MS, latencyMs) * (inFlight + 1);
}

/** The power of two choices over Finagle's peak EWMA. Not a gRPC policy (R137). */
export const leastLatency: PickerPolicy = {
  name: "least_latency",
  connects: "all",
  create: (input) => new LeastLatencyPicker(input),
};
