import { Metadata } from "@grpc/grpc-js";
import type { Outcome } from "../../src/core/index.js";
import { type HedgeDecision, HedgePlan } from "../../src/retry/hedging.js";
import { type HedgingOptions, hedgingOptionsSchema } from "../../src/retry/hedging-options.js";
import { LatencyWindow } from "../../src/retry/latency-window.js";
import type { RetryThrottle } from "../../src/retry/throttle.js";
import { outcome } from "./outcomes.js";

/** Three attempts, 50 ms apart, unless `changes` say otherwise; begun at 0. */
export function planOf(
  changes: HedgingOptions = {},
  throttle: RetryThrottle | null = null,
  latency = new LatencyWindow(),
): HedgePlan {
  const options = hedgingOptionsSchema.parse({ maxAttempts: 3, delayMs: 50, ...changes });
  const plan = new HedgePlan({ options, latency }, throttle);
  plan.begin(0);
  return plan;
}

/** What an attempt that failed leaves behind. */
export interface Failure {
  readonly outcome?: Partial<Outcome>;
  /** Value of grpc-retry-pushback-ms. */
  readonly pushback?: string;
  readonly at?: number;
  readonly inFlight?: number;
  readonly due?: number;
  readonly incident?: object | null;
}

/** UNAVAILABLE at 10 ms, with nothing else in flight, unless the failure says otherwise. */
export function fail(plan: HedgePlan, failure: Failure = {}): HedgeDecision {
  const { at = 10, inFlight = 0, due = 0, incident = null } = failure;
  return plan.onFailure(failedAs(failure), at, { inFlight, due }, incident);
}

/** The outcome of that failure. */
export function failedAs({ outcome: changes, pushback }: Failure): Outcome {
  const metadata = new Metadata();
  if (pushback !== undefined) metadata.set("grpc-retry-pushback-ms", pushback);
  return outcome({ metadata, ...changes });
}
