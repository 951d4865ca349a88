import { quantile } from "../measure/statistics.js";

/** One call as its caller saw it. Instants are monotonic ms. */
export interface LoggedCall {
  readonly startedAt: number;
  readonly endedAt: number;
  /** Code and reason; null where it was answered. */
  readonly failure: string | null;
  /** Where it went last, as grpc-js tells it. */
  readonly peer: string;
}

/** Between two instants, the second one excluded. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What the calls of one client came to. */
export interface CallSummary {
  readonly calls: number;
  readonly failed: number;
  /** How often each failure came. */
  readonly failures: Readonly<Record<string, number>>;
  /** Of the calls begun while the fault lasted. */
  readonly p99Ms: number;
  /** From `recoversAt` to the end of the first call begun after it that succeeds; NaN when none does. */
  readonly recoveryMs: number;
}

export function summariseCalls(calls: readonly LoggedCall[], fault: Span, recoversAt: number): CallSummary {
  const during = calls.filter(({ startedAt }) => isWithin(startedAt, fault));
  const recovered = calls
    .filter(({ startedAt, failure }) => failure === null && startedAt >= recoversAt)
    .map(({ endedAt }) => endedAt - recoversAt);
  const failed = calls.flatMap(({ failure }) => (failure === null ? [] : [failure]));
  const failures: Record<string, number> = {};
  for (const failure of failed) failures[failure] = (failures[failure] ?? 0) + 1;
  return {
    calls: calls.length,
    failed: failed.length,
    failures,
    p99Ms: quantile(
      during.map(({ startedAt, endedAt }) => endedAt - startedAt),
      0.99,
    ),
    recoveryMs: recovered.length === 0 ? Number.NaN : Math.min(...recovered),
  };
}

export function isWithin(at: number, { from, to }: Span): boolean {
  return at >= from && at < to;
}
