import { quantile } from "../measure/statistics.js";

/** One call as its caller saw it. Instants are monotonic ms. */
export interface LoggedCall {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly isOk: boolean;
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
  /** Of the calls begun while the fault lasted. */
  readonly p99Ms: number;
  /** From `recoversAt` to the end of the first call begun after it that succeeds; NaN when none does. */
  readonly recoveryMs: number;
}

export function summariseCalls(calls: readonly LoggedCall[], fault: Span, recoversAt: number): CallSummary {
  const during = calls.filter(({ startedAt }) => isWithin(startedAt, fault));
  const recovered = calls
    .filter(({ startedAt, isOk }) => isOk && startedAt >= recoversAt)
    .map(({ endedAt }) => endedAt - recoversAt);
  return {
    calls: calls.length,
    failed: calls.filter(({ isOk }) => !isOk).length,
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
