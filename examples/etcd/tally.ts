import { type ServiceError, status } from "@grpc/grpc-js";
import type { FailureReport } from "holdfast";
import { quantile, round1 } from "../shared/quantile.js";

export type Method = "Range" | "Put";
export type SideName = "holdfast" | "bare";

/** How the failed calls of one method answer the question "may the server have run it?". */
export interface ProcessedCounts {
  no: number;
  maybe: number;
  yes: number;
  /** Bare grpc-js does not say. */
  unsaid: number;
}

/** The row of one method on one side, as the table and `--json` show it. */
export interface MethodReport {
  readonly calls: number;
  readonly ok: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly failedTotal: number;
  readonly failedProcessed: Readonly<ProcessedCounts>;
  /** What the first failed calls had to say: Holdfast's explanation, or grpc-js's details. */
  readonly failureTexts: readonly string[];
  readonly longestGapMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const FAILURE_TEXTS = 3;

/** Counts the calls of one method on one side. Times are milliseconds of a monotonic clock. */
export class Tally {
  readonly #failed = new Map<string, number>();
  readonly #processed: ProcessedCounts = { no: 0, maybe: 0, yes: 0, unsaid: 0 };
  readonly #failureTexts: string[] = [];
  readonly #durations: number[] = [];
  #ok = 0;
  #longestGapMs = 0;
  #lastSuccessAt: number;

  constructor(startedAt: number) {
    this.#lastSuccessAt = startedAt;
  }

  get ok(): number {
    return this.#ok;
  }

  get failed(): number {
    return this.#durations.length - this.#ok;
  }

  /** The longest gap so far, the one that may be open right now included. */
  longestGapMs(now: number): number {
    return Math.max(this.#longestGapMs, now - this.#lastSuccessAt);
  }

  record(startedAt: number, endedAt: number, error: ServiceError | null): void {
    this.#durations.push(endedAt - startedAt);
    if (error === null) {
      this.#ok += 1;
      this.#longestGapMs = this.longestGapMs(endedAt);
      this.#lastSuccessAt = endedAt;
      return;
    }
    const code = status[error.code] ?? String(error.code);
    this.#failed.set(code, (this.#failed.get(code) ?? 0) + 1);
    // `processed` and `explanation` are what Holdfast adds to grpc-js's error.
    const { processed = "unsaid", explanation } = error as Partial<FailureReport>;
    this.#processed[processed] += 1;
    if (this.#failureTexts.length < FAILURE_TEXTS) this.#failureTexts.push(explanation ?? error.details);
  }

  /** Ends the count. A side that never recovered has a gap up to here; a success after it has closed its gap. */
  finish(at: number): MethodReport {
    const sorted = this.#durations.sort((a, b) => a - b);
    return {
      calls: sorted.length,
      ok: this.#ok,
      failed: Object.fromEntries(this.#failed),
      failedTotal: this.failed,
      failedProcessed: this.#processed,
      failureTexts: this.#failureTexts,
      longestGapMs: Math.round(this.longestGapMs(at)),
      p50Ms: round1(quantile(sorted, 0.5)),
      p99Ms: round1(quantile(sorted, 0.99)),
    };
  }
}
