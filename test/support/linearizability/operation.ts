/** One operation of a client on a key-value store whose keys are independent registers. */
export interface Operation {
  readonly session: number;
  /** `append` adds to the end of the value and creates a missing key. */
  readonly kind: "get" | "put" | "append";
  readonly key: string;
  /** What was written; empty for a get. */
  readonly value: string;
  /** What a get returned; undefined when the key was missing, and for writes. */
  readonly result: string | undefined;
  readonly invokedMs: number;
  /** Null when the outcome is unknown: the operation may take effect at any time after its invocation, or never. */
  readonly returnedMs: number | null;
  /** Breaks ties between instants of the same millisecond. Without it, operations that touch count as overlapping. */
  readonly invokedOrder?: number;
  readonly returnedOrder?: number | null;
}

/** The start or the end of an operation. */
export interface Instant {
  readonly ms: number;
  readonly order: number;
}

/** Before every recorded instant of its millisecond, so that an unrecorded order never forbids anything. */
export function invocationOf(operation: Operation): Instant {
  return { ms: operation.invokedMs, order: operation.invokedOrder ?? Number.NEGATIVE_INFINITY };
}

/** After every recorded instant of its millisecond; undefined for an unknown outcome. */
export function returnOf(operation: Operation): Instant | undefined {
  if (operation.returnedMs === null) return undefined;
  return { ms: operation.returnedMs, order: operation.returnedOrder ?? Number.POSITIVE_INFINITY };
}

/** Negative when `a` is earlier; 0 only for two instants nobody can tell apart. */
export function compareInstants(a: Instant, b: Instant): number {
  if (a.ms !== b.ms) return a.ms - b.ms;
  return a.order < b.order ? -1 : a.order > b.order ? 1 : 0;
}

/** The same operation with its acknowledgement forgotten: it may then run late, or never. */
export function withUnknownOutcome(operation: Operation): Operation {
  return { ...operation, returnedMs: null, returnedOrder: null };
}
