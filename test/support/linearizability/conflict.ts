import { KeySearch } from "./key-search.js";
import { compareInstants, invocationOf, type Operation, returnOf, withUnknownOutcome } from "./operation.js";
import type { SearchBudget } from "./search-budget.js";

/** Steps one search may take besides one per operation: to find the end of the conflict, and to make it smaller. */
const PREFIX_STEPS = 30_000;
const ATTEMPT_STEPS = 5_000;
/** Steps of all searches together. */
const ALL_STEPS = 500_000;
/** How many earlier reads are tried as the one that the last read contradicts. */
const TRIED_READS = 64;

/** Gets, and the acknowledgements of writes. */
type Facts = readonly Operation[];

/**
 * The smallest set of reads and acknowledgements found that contradict each other, in operations of one key that have no
 * valid order. Dropping a get or forgetting when a write was acknowledged only makes more orders valid, so what still has
 * none afterwards shows the fault as well; an attempt that a limit ends counts as ordered.
 */
export function smallestConflict(
  operations: readonly Operation[],
  budgetOf: (maxSteps: number) => SearchBudget,
): Facts {
  const writes = operations.filter(({ kind }) => kind !== "get");
  let steps = 0;
  const contradict = (facts: Facts, maxSteps = ATTEMPT_STEPS) => {
    if (steps >= ALL_STEPS) return false;
    const acknowledged = new Set(facts);
    const relaxed = writes.map((write) => (acknowledged.has(write) ? write : withUnknownOutcome(write)));
    const budget = budgetOf(maxSteps + operations.length);
    const verdict = new KeySearch([...relaxed, ...facts.filter(({ kind }) => kind === "get")], budget).run();
    // Preparing a search costs about a step per operation, even where the search itself ends at once.
    steps += budget.steps + operations.length;
    return verdict.kind === "stuck";
  };
  return withoutNeedless(withFewReads(shortestPrefix(operations, contradict), contradict), contradict).sort(
    (a, b) => compareInstants(invocationOf(a), invocationOf(b)),
  );
}

/** Everything acknowledged up to the first read with which no order is left, by return. */
function shortestPrefix(
  operations: readonly Operation[],
  contradict: (facts: Facts, maxSteps: number) => boolean,
): Facts {
  const facts = operations
    .filter(({ returnedMs }) => returnedMs !== null)
    .sort((a, b) => compareInstants(returnOf(a)!, returnOf(b)!));
  let low = 0;
  let high = facts.length;
  while (low + 1 < high) {
    const middle = (low + high) >>> 1;
    if (contradict(facts.slice(0, middle), PREFIX_STEPS)) high = middle;
    else low = middle;
  }
  return facts.slice(0, high);
}

/** Mostly one or two reads contradict the writes; without the others nearly every write is out of the picture at once. */
function withFewReads(facts: Facts, contradict: (facts: Facts) => boolean): Facts {
  const [last, ...others] = facts.filter(({ kind }) => kind === "get").reverse();
  for (const other of [last, ...others.slice(0, TRIED_READS)]) {
    const few = facts.filter((fact) => fact.kind !== "get" || fact === last || fact === other);
    if (contradict(few)) return few;
  }
  return facts;
}

/** Takes facts away, in halves, quarters and so on, as long as the rest still contradict each other. */
function withoutNeedless(all: Facts, contradict: (facts: Facts) => boolean): Operation[] {
  let facts = [...all];
  for (let size = Math.ceil(facts.length / 2); ; size = Math.ceil(size / 2)) {
    for (let from = 0; from < facts.length; ) {
      const fewer = [...facts.slice(0, from), ...facts.slice(from + size)];
      if (contradict(fewer)) facts = fewer;
      else from += size;
    }
    if (size <= 1) return facts;
  }
}
