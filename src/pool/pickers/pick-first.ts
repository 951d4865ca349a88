import type { Candidate, Picker, PickerPolicy, PickFilter } from "./picker.js";

/** The first usable endpoint in the resolver's order, for every call. */
class PickFirstPicker<C extends Candidate> implements Picker<C> {
  constructor(private readonly candidates: readonly C[]) {}

  pick(filter: PickFilter<C>): C | null {
    for (const candidate of this.candidates) {
      if (filter.accepts(candidate)) return candidate;
    }
    return null;
  }
}

export const pickFirst: PickerPolicy = {
  name: "pick_first",
  connects: "first",
  create: (candidates) => new PickFirstPicker(candidates),
};
