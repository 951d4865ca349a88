import type { HealthVerdict } from "./health-verdict.js";

/** Where verdicts on an endpoint come from; silent after its stop, and not to be used again. */
export interface HealthSource {
  start(): void;
  /** Called about once a second. */
  tick(now: number): void;
  stop(): void;
}

/** Hears of a source's verdicts. */
export interface HealthSourceOwner {
  onVerdict(verdict: HealthVerdict): void;
  /** The server has no health service. */
  onUnimplemented(): void;
}
