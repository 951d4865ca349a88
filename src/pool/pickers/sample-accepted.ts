import type { Dice } from "./dice.js";
import type { Candidate, PickFilter } from "./picker.js";

/** Rolls that may meet a refused candidate before all are gone through. */
const MAX_ROLLS = 16;

/**
 * An accepted candidate, each with the same chance; null when all are refused. Where few are refused the first rolls
 * find one, whatever the number of candidates; else each is asked once more.
 */
export function sampleAccepted<C extends Candidate>(
  candidates: readonly C[],
  filter: PickFilter<C>,
  dice: Dice,
): C | null {
  const { length } = candidates;
  if (length === 0) return null;
  for (let roll = 0; roll < MAX_ROLLS; roll++) {
    const candidate = candidates[dice.roll(length)] as C;
    if (filter.accepts(candidate)) return candidate;
  }
  // A reservoir of one: the nth accepted takes the place with a chance of 1/n, so that nobody gains from where he stands.
  let chosen: C | null = null;
  let accepted = 0;
  for (let index = 0; index < length; index++) {
    const candidate = candidates[index] as C;
    if (!filter.accepts(candidate)) continue;
    accepted++;
    if (dice.roll(accepted) === 0) chosen = candidate;
  }
  return chosen;
}
