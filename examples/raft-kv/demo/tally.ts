import { ResilienceError } from "holdfast";
import { quantile, round1 } from "../../shared/quantile.js";

/** How fast the acknowledged operations were, in milliseconds. */
export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Counts the operations of a run. Times are milliseconds since the load began, and come in order. */
export class Tally {
  readonly #acknowledgedAt: number[] = [];
  readonly #latencies: number[] = [];
  readonly #failed = new Map<string, number>();
  #failedTotal = 0;

  get acknowledged(): number {
    return this.#latencies.length;
  }

  get failedTotal(): number {
    return this.#failedTotal;
  }

  /** Every operation that has ended. */
  get operations(): number {
    return this.acknowledged + this.#failedTotal;
  }

  get failed(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#failed);
  }

  acknowledge(startedAtMs: number, endedAtMs: number): void {
    this.#acknowledgedAt.push(endedAtMs);
    this.#latencies.push(endedAtMs - startedAtMs);
  }

  fail(error: unknown): void {
    const reason = error instanceof ResilienceError ? error.reason : "UNEXPECTED";
    this.#failed.set(reason, (this.#failed.get(reason) ?? 0) + 1);
    this.#failedTotal += 1;
  }

  /** Operations acknowledged from one instant up to, but not including, another. */
  acknowledgedBetween(fromMs: number, toMs: number): number {
    return this.#indexOf(toMs) - this.#indexOf(fromMs);
  }

  /** Of the operations acknowledged since then; all by default. */
  latency(sinceMs = 0): Latency {
    const sorted = Float64Array.from(this.#latencies.slice(this.#indexOf(sinceMs))).sort();
    return { p50Ms: round1(quantile(sorted, 0.5)), p99Ms: round1(quantile(sorted, 0.99)) };
  }

  /** The longest time without an acknowledged operation between two instants; up to the second when none came. */
  unavailableMs(fromMs: number, toMs: number): number {
    let longest = 0;
    let last = fromMs;
    for (let at = this.#indexOf(fromMs); at < this.#indexOf(toMs); at += 1) {
      const acknowledgedAt = this.#acknowledgedAt[at]!;
      longest = Math.max(longest, acknowledgedAt - last);
      last = acknowledgedAt;
    }
    return Math.round(Math.max(longest, toMs - last));
  }

  /** How many operations were acknowledged before that instant. */
  #indexOf(atMs: number): number {
    let low = 0;
    let high = this.#acknowledgedAt.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#acknowledgedAt[middle]! < atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
