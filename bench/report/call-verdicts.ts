import type { ComparisonResult } from "../measure/compare.js";
import type { StackResult } from "../measure/summarise.js";
import { STACKS } from "../stacks/index.js";
import { atMost, below, type Verdict } from "./verdict.js";

/** All targets refer to it. */
const REFERENCE = "bare";
/** Everything on, a listener for every event too. */
const ALL_ON = "holdfast-events";
const HARDENED = "holdfast";
const PROMISES = "promises";

/** The targets of one table; none where `--stacks` left out what they compare. */
export function callVerdicts({ place, kind, stacks }: ComparisonResult): Verdict[] {
  if (stacks[0]?.name !== REFERENCE) return [];
  const named = (name: string): readonly StackResult[] => stacks.filter((stack) => stack.name === name);
  if (place === "fake") {
    return named(ALL_ON).flatMap((own) => [
      atMost(`${own.name} to ${REFERENCE}: CPU`, own.cpuMicros.ratio.median, 1.5),
      atMost(`${own.name} to ${REFERENCE}: heap bytes`, own.heapBytes.ratio.median, 1.3),
      ...belowRivals(own, stacks),
    ]);
  }
  const hardened = named(HARDENED).map(({ name, cpuMicros }) =>
    atMost(`${name} to ${REFERENCE}: CPU`, cpuMicros.ratio.median, 1.05),
  );
  if (kind !== "unary") return hardened;
  const promised = named(PROMISES).map(({ name, cpuMicros }) =>
    atMost(`${name} to ${REFERENCE}: CPU`, cpuMicros.ratio.median, 0.9, 0.8),
  );
  const ours = [...named(HARDENED), ...named(PROMISES)];
  return [...hardened, ...promised, ...ours.flatMap((own) => belowRivals(own, stacks))];
}

/** Ours against each stack of others that also retries, CPU of the same rounds. */
function belowRivals(own: StackResult, stacks: readonly StackResult[]): Verdict[] {
  const rivals = STACKS.filter(({ retries, isOurs }) => retries && !isOurs).map(({ name }) => name);
  return stacks
    .filter(({ name }) => rivals.includes(name))
    .map((rival) =>
      below(
        `${own.name} to ${rival.name}: CPU`,
        own.cpuMicros.ratio.median / rival.cpuMicros.ratio.median,
        1,
      ),
    );
}
