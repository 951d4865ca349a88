import { median, quantile } from "./statistics.js";

/** What one client cost, round by round. */
export interface Samples {
  readonly cpuMicros: number[];
  readonly wallMicros: number[];
  readonly heapBytes: number[];
}

/** One measure of one stack, from all rounds. */
export interface Measure {
  /** Median over the rounds, both twins together. */
  readonly perCall: number;
  /** To the first stack, round by round; the middle half of the rounds lies between `low` and `high`. */
  readonly ratio: { readonly median: number; readonly low: number; readonly high: number };
  /** The twin against the first client: what "no difference" looks like on this machine, now. */
  readonly itself: number;
}

export interface StackResult {
  readonly name: string;
  readonly cpuMicros: Measure;
  readonly wallMicros: Measure;
  readonly heapBytes: Measure;
}

export interface Twins {
  readonly name: string;
  readonly samples: readonly Samples[];
}

/** The rows of a table; the first of them is the one that ratios refer to. */
export function summarise(all: readonly Twins[]): StackResult[] {
  const [reference] = all;
  if (reference === undefined) return [];
  return all.map((twins) => ({
    name: twins.name,
    cpuMicros: measure(twins, reference, "cpuMicros"),
    wallMicros: measure(twins, reference, "wallMicros"),
    heapBytes: measure(twins, reference, "heapBytes"),
  }));
}

function measure(twins: Twins, reference: Twins, key: keyof Samples): Measure {
  const own = roundMeans(twins, key);
  const theirs = roundMeans(reference, key);
  const ratios = own.map((value, round) => value / (theirs[round] as number));
  const [first, second] = twins.samples;
  const itself = second?.[key].map((value, round) => value / (first?.[key][round] as number)) ?? [];
  return {
    perCall: median(own),
    ratio: { median: median(ratios), low: quantile(ratios, 0.25), high: quantile(ratios, 0.75) },
    itself: median(itself),
  };
}

function roundMeans({ samples }: Twins, key: keyof Samples): number[] {
  const rounds = samples[0]?.[key].length ?? 0;
  return Array.from({ length: rounds }, (_, round) => {
    const values = samples.map((twin) => twin[key][round] as number);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  });
}
