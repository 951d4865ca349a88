import type { Candidate, Picker, PickerPolicy, PickFilter } from "./picker.js";

/** Each endpoint in turn. A new snapshot goes on after the endpoint that was used last. */
class RoundRobinPicker<C extends Candidate> implements Picker<C> {
  #next: number;
  #last: C | null;

  constructor(
    private readonly candidates: readonly C[],
    previous: Picker<C> | null,
    firstRoll: number,
  ) {
    const { length } = candidates;
    this.#last = previous instanceof RoundRobinPicker ? previous.#last : null;
    const at = this.#last === null ? -1 : candidates.indexOf(this.#last);
    // Clients started together must not all begin at the first endpoint.
    this.#next = at >= 0 ? (at + 1) % length : Math.floor(firstRoll * length);
  }

  pick(filter: PickFilter<C>): C | null {
    const { length } = this.candidates;
    for (let tried = 0; tried < length; tried++) {
      const index = this.#next;
      this.#next = index + 1 === length ? 0 : index + 1;
      const candidate = this.candidates[index] as C;
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
  create: (candidates, previous, firstRoll) => new RoundRobinPicker(candidates, previous, firstRoll),
};
