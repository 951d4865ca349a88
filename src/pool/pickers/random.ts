import { Dice } from "./dice.js";
import type { Candidate, Picker, PickerInput, PickerPolicy, PickFilter } from "./picker.js";
import { sampleAccepted } from "./sample-accepted.js";

/** Any endpoint, each with the same chance. */
class RandomPicker<C extends Candidate> implements Picker<C> {
  readonly #candidates: readonly C[];
  readonly #dice: Dice;

  constructor({ candidates, random }: PickerInput<C>) {
    this.#candidates = candidates;
    this.#dice = new Dice(random);
  }

  pick(filter: PickFilter<C>): C | null {
    return sampleAccepted(this.#candidates, filter, this.#dice);
  }
}

/** Each call goes to an endpoint drawn by lot. Not a gRPC policy (R137). */
export const random: PickerPolicy = {
  name: "random",
  connects: "all",
  create: (input) => new RandomPicker(input),
};
