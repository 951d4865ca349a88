import { ObservedTexts, type TextState } from "./observed-texts.js";
import { compareInstants, type Instant, invocationOf, type Operation, returnOf } from "./operation.js";

/** One operation of one key, ready for the search. Positions number the starts and ends in time, from 1. */
export interface Entry {
  readonly index: number;
  readonly operation: Operation;
  readonly callAt: number;
  /** Infinity when the outcome is unknown. */
  readonly returnAt: number;
  /** Of a get: the rank of its result. -1 for writes. */
  readonly rank: number;
  /** Of a put: the value it leaves behind. */
  readonly putState: TextState | undefined;
  /** Writes of the same kind and text share a number. */
  readonly twins: number;
}

/** The operations of one key in the terms of the search. */
export interface KeyProblem {
  readonly texts: ObservedTexts;
  readonly entries: readonly Entry[];
  /** Which entry starts or ends at a position. */
  readonly entryAt: readonly Entry[];
  readonly positions: number;
}

/**
 * Gets with an unknown outcome say nothing and are left out. So are unknown writes whose text no read can have seen: they
 * may as well never have run (see the first argument in key-search.ts).
 *
 * @throws RangeError when an operation ends before it starts.
 */
export function keyProblem(operations: readonly Operation[]): KeyProblem {
  const reads = operations.filter(({ kind, returnedMs }) => kind === "get" && returnedMs !== null);
  const texts = new ObservedTexts(reads.flatMap(({ result }) => (result === undefined ? [] : [result])));
  const kept = operations.filter((operation) => operation.returnedMs !== null || mayMatter(operation, texts));
  const { callAt, returnAt, positions } = placeInTime(kept);
  const twins = new Map<string, number>();
  const entries = kept.map((operation, index): Entry => {
    const name = `${operation.kind} ${operation.value}`;
    if (operation.kind !== "get" && !twins.has(name)) twins.set(name, twins.size);
    return {
      index,
      operation,
      callAt: callAt[index]!,
      returnAt: returnAt[index]!,
      rank: operation.kind === "get" ? texts.rankOf(operation.result) : -1,
      putState: operation.kind === "put" ? texts.put(operation.value) : undefined,
      twins: twins.get(name) ?? -1,
    };
  });
  const entryAt: Entry[] = [];
  for (const entry of entries) {
    entryAt[entry.callAt] = entry;
    if (entry.returnAt !== Number.POSITIVE_INFINITY) entryAt[entry.returnAt] = entry;
  }
  return { texts, entries, entryAt, positions };
}

function mayMatter({ kind, value }: Operation, texts: ObservedTexts): boolean {
  if (kind === "get") return false;
  return kind === "put" ? texts.put(value) !== texts.unseen : texts.canBeSeen(value);
}

function placeInTime(operations: readonly Operation[]) {
  const moments: { readonly index: number; readonly isReturn: boolean; readonly instant: Instant }[] = [];
  for (const [index, operation] of operations.entries()) {
    const invocation = invocationOf(operation);
    const end = returnOf(operation);
    moments.push({ index, isReturn: false, instant: invocation });
    if (end === undefined) continue;
    if (!(compareInstants(invocation, end) < 0)) {
      throw new RangeError(
        `a ${operation.kind} of key "${operation.key}" returns at ${end.ms} ms, before its start at ${invocation.ms} ms`,
      );
    }
    moments.push({ index, isReturn: true, instant: end });
  }
  moments.sort((a, b) => compareInstants(a.instant, b.instant) || Number(a.isReturn) - Number(b.isReturn));
  const callAt = new Array<number>(operations.length).fill(0);
  const returnAt = new Array<number>(operations.length).fill(Number.POSITIVE_INFINITY);
  for (const [at, { index, isReturn }] of moments.entries()) (isReturn ? returnAt : callAt)[index] = at + 1;
  return { callAt, returnAt, positions: moments.length };
}
