/** Beyond a million times the mean, or less than its millionth, a weight counts as that: sums must stay exact. */
const MAX_RATIO = 1e6;

/**
 * How long each waits between two turns, 1 for the mean weight. Weights that say nothing (0, negative, NaN, infinite)
 * count as the mean of the others, which makes all equal where fewer than two are left (R122).
 */
export function periodsOf(weights: Float64Array): Float64Array {
  let usable = 0;
  let mean = 0;
  for (const weight of weights) {
    if (!isUsable(weight)) continue;
    usable++;
    // Step by step: the sum of large weights may be infinite.
    mean += (weight - mean) / usable;
  }
  return weights.map((weight) => {
    if (!isUsable(weight)) return 1;
    return Math.min(MAX_RATIO, Math.max(1 / MAX_RATIO, mean / weight));
  });
}

function isUsable(weight: number): boolean {
  return weight > 0 && weight < Number.POSITIVE_INFINITY;
}
