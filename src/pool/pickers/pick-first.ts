import { z } from "zod";
import type { Candidate, Picker, PickerInput, PickerPolicy, PickFilter } from "./picker.js";

/** One endpoint for every call: the first usable in the resolver's order, then that one until it is lost. */
class PickFirstPicker<C extends Candidate> implements Picker<C> {
  readonly #candidates: readonly C[];
  #chosen: C | null;

  constructor({ candidates, previous }: PickerInput<C>) {
    this.#candidates = candidates;
    const last = previous instanceof PickFirstPicker ? previous.#chosen : null;
    this.#chosen = candidates.includes(last) ? last : null;
  }

  pick(filter: PickFilter<C>): C | null {
    if (this.#chosen !== null && filter.accepts(this.#chosen)) return this.#chosen;
    for (const candidate of this.#candidates) {
      if (!filter.accepts(candidate)) continue;
      this.#chosen ??= candidate;
      return candidate;
    }
    return null;
  }
}

/** gRPC's pick_first. */
export const pickFirstOptionsSchema = z.strictObject({
  /** True to try the endpoints in an order drawn by lot, heavier ones rather first (gRFC A62, A113). Default false. */
  shuffleAddressList: z.boolean().default(false),
});

export function pickFirstWith({ shuffleAddressList }: z.output<typeof pickFirstOptionsSchema>): PickerPolicy {
  return { ...pickFirst, isShuffled: shuffleAddressList };
}

export const pickFirst: PickerPolicy = {
  name: "pick_first",
  connects: "first",
  create: (input) => new PickFirstPicker(input),
};
