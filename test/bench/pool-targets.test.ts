import { expect, it } from "vitest";
import type { ComparisonResult } from "../../bench/measure/compare.js";
import { answerVerdicts } from "../../bench/pool/large-messages.js";
import { slowVerdicts } from "../../bench/pool/slow-server.js";
import { burstVerdicts } from "../../bench/pool/stream-limit.js";
import { verdictLine } from "../../bench/report/verdict.js";

it("judges policies that look at their servers against the one that does not", () => {
  const row = (name: string, share: number, p90Ms: number) => ({
    name,
    share,
    p90Ms,
    calls: 100,
    p50Ms: 10,
    p99Ms: 100,
  });
  const rows = [
    row("bare", 0.2, 100),
    row("round_robin", 0.2, 100),
    row("least_request", 0.05, 12),
    row("least_latency", 0.1, 60),
  ];

  expect(slowVerdicts(rows).map(verdictLine)).toEqual([
    "  least_request to round_robin: share of the slow server 0.25, target at most 0.333: met",
    "  least_request to round_robin: p90 0.12, target at most 0.5: met",
    "  least_latency to round_robin: share of the slow server 0.50, target at most 0.333: MISSED",
    "  least_latency to round_robin: p90 0.60, target at most 0.5: MISSED",
  ]);
});

it("judges bursts over several connections, not those over one", () => {
  const row = (name: string, ratio: number) => ({ name, ratio, firstMs: 1_000, ms: 1_000 });

  expect(
    burstVerdicts([row("bare", 1), row("defaults", 1), row("maxConnections: 4", 0.4)]).map(verdictLine),
  ).toEqual(["  maxConnections: 4 to bare: time 0.40, target at most 0.5: met"]);
});

it("judges large answers by throughput, which is the inverse of the time they take", () => {
  const wall = (ratio: number) => ({
    perCall: 1,
    ratio: { median: ratio, low: ratio, high: ratio },
    itself: 1,
  });
  const stack = (name: string, ratio: number) => ({
    name,
    cpuMicros: wall(1),
    wallMicros: wall(ratio),
    heapBytes: wall(1),
  });
  const result = { inFlight: 8, stacks: [stack("bare", 1), stack("defaults", 0.8)] } as unknown;

  expect(answerVerdicts(result as ComparisonResult).map(verdictLine)).toEqual([
    "  defaults to bare, 8 in flight: throughput 1.25, target at least 1.1: met",
  ]);
});
