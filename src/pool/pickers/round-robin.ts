import type { Candidate, Picker, PickerInput, PickerPolicy, PickFilter } from "./picker.js";

/** Each endpoint in turn. A new snapshot goes on after the endpoint that was used last. */
class RoundRobinPicker<C extends Candidate> implements Picker<C> {
  readonly #candidates: readonly C[];
  #next: number;
  /** The one before `#next`; null before the first pick. */
  #last: C | null;

  constructor({ candidates, previous, random }: PickerInput<C>) {
    const { length } = candidates;
    this.#candidates = candidates;
    const before = previous instanceof RoundRobinPicker ? previous : null;
    if (before === null || before.#last === null) {
      this.#last = null;
      // Clients started together must not all begin at the first endpoint.
      this.#next = Math.floor(random.next() * length);
      return;
    }
    const kept = candidates.indexOf(before.#last);
    // Where the last one is gone, the next one has moved up into its place.
    const next = kept >= 0 ? kept + 1 : before.#candidates.indexOf(before.#last);
    this.#next = next % length;
    this.#last = candidates.at(this.#next - 1) ?? null;
  }

  pick(filter: PickFilter<C>): C | null {
    const candidates = this.#candidates;
    const { length } = candidates;
    for (let tried = 0; tried < length; tried++) {
      const index = this.#next;
      this.#next = index + 1 === length ? 0 : index + 1;
      const candidate = candidates[index] as C;
      if (!filter.accepts(candidate)) continue;
      this.#last = candidate;
      return candidate;
    }
    return null;
  }
}

export const roundRobin: PickerPolicy = {
  name: "round_robin",
  connects: "all",
  create: (input) => new RoundRobinPicker(input),
};
