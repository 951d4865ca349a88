import { z } from "zod";
import { Dice } from "./dice.js";
import type { Candidate, Picker, PickerInput, PickerPolicy, PickFilter } from "./picker.js";
import { sampleAccepted } from "./sample-accepted.js";

/** More samples cost more and change nothing. */
const MAX_CHOICES = 10;

/** gRPC's least_request_experimental (gRFC A48). */
export const leastRequestOptionsSchema = z.strictObject({
  /** Endpoints drawn per pick, of which the least busy one is taken. Default 2; 2 or more, above 10 counts as 10. */
  choiceCount: z.int().min(2).default(2),
});
export type LeastRequestOptions = z.input<typeof leastRequestOptionsSchema>;
export type ResolvedLeastRequestOptions = z.output<typeof leastRequestOptionsSchema>;

/** Of a few endpoints drawn by lot, the one with the fewest attempts in flight. */
class LeastRequestPicker<C extends Candidate> implements Picker<C> {
  readonly #candidates: readonly C[];
  readonly #dice: Dice;
  readonly #choices: number;

  constructor({ candidates, random }: PickerInput<C>, choices: number) {
    this.#candidates = candidates;
    this.#dice = new Dice(random);
    this.#choices = choices;
  }

  pick(filter: PickFilter<C>): C | null {
    let best = sampleAccepted(this.#candidates, filter, this.#dice);
    if (best === null) return null;
    for (let choice = 1; choice < this.#choices; choice++) {
      const other = sampleAccepted(this.#candidates, filter, this.#dice);
      if (other !== null && other.inFlight < best.inFlight) best = other;
    }
    return best;
  }
}

export function leastRequest({ choiceCount }: ResolvedLeastRequestOptions): PickerPolicy {
  const choices = Math.min(choiceCount, MAX_CHOICES);
  return {
    name: "least_request",
    connects: "all",
    create: (input) => new LeastRequestPicker(input, choices),
  };
}
