import type { Endpoint, Random } from "../core/index.js";
import { deterministicSubset, type ResolvedSubsettingOptions, randomSubset } from "../pool/index.js";

/** The endpoints of a set that this client uses; the same ones as long as the set allows it. */
export function subsetter(
  options: ResolvedSubsettingOptions | null,
  random: Random,
): (endpoints: readonly Endpoint[]) => readonly Endpoint[] {
  if (options === null) return (endpoints) => endpoints;
  if (options.policy === "deterministic_subsetting") {
    return (endpoints) => deterministicSubset(endpoints, options.subsetSize, options.clientIndex);
  }
  const seed = Math.floor(random.next() * 2 ** 32);
  return (endpoints) => randomSubset(endpoints, options.subsetSize, seed);
}
