import type { ResolvedOutlierEjectionOptions } from "./outlier-ejection-options.js";
import type { OutlierTally } from "./outlier-tally.js";

/** Address and tally. */
export type Host = readonly [address: string, tally: OutlierTally];

interface Gate {
  readonly minimumHosts: number;
  readonly requestVolume: number;
}

/** Rounding alone makes nobody an outlier: where all rates are equal, their mean may come out above them. */
const ROUNDING = 1e-12;

/** The hosts whose share of successes is more than so many standard deviations below the mean. */
export function successRateOutliers(
  hosts: Iterable<Host>,
  options: NonNullable<ResolvedOutlierEjectionOptions["successRate"]>,
): Host[] {
  const judged = hostsWithVolume(hosts, options);
  const rates = judged.map(([, { successes, failures }]) => successes / (successes + failures));
  const mean = meanOf(rates);
  const stdev = Math.sqrt(meanOf(rates.map((rate) => (rate - mean) ** 2)));
  const required = mean - (stdev * options.stdevFactor) / 1_000;
  return judged.filter((_, at) => (rates[at] ?? 1) < required - ROUNDING);
}

/** The hosts whose share of failures is above the threshold. */
export function failurePercentageOutliers(
  hosts: Iterable<Host>,
  options: NonNullable<ResolvedOutlierEjectionOptions["failurePercentage"]>,
): Host[] {
  return hostsWithVolume(hosts, options).filter(
    ([, { successes, failures }]) => (100 * failures) / (successes + failures) > options.threshold,
  );
}

/** None where fewer than the minimum have enough calls. One without any call has no rate, whatever the volume asked. */
function hostsWithVolume(hosts: Iterable<Host>, { minimumHosts, requestVolume }: Gate): Host[] {
  const volume = Math.max(1, requestVolume);
  const found = [...hosts].filter(([, { successes, failures }]) => successes + failures >= volume);
  return found.length < minimumHosts ? [] : found;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
