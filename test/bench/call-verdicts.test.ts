import { describe, expect, it } from "vitest";
import type { ComparisonResult } from "../../bench/measure/compare.js";
import type { Measure, StackResult } from "../../bench/measure/summarise.js";
import { callVerdicts } from "../../bench/report/call-verdicts.js";
import { sectionText, summary } from "../../bench/report/section.js";
import { table } from "../../bench/report/table.js";
import { verdictLine } from "../../bench/report/verdict.js";

function measure(ratio: number): Measure {
  return { perCall: 10 * ratio, ratio: { median: ratio, low: ratio, high: ratio }, itself: 1 };
}

function stack(name: string, cpu: number, heap = 1): StackResult {
  return { name, cpuMicros: measure(cpu), wallMicros: measure(1), heapBytes: measure(heap) };
}

function compared(about: Partial<ComparisonResult>, ...stacks: StackResult[]): ComparisonResult {
  const counts = { inFlight: 64, rounds: 15, callsPerSlice: 512, messagesPerCall: 1 };
  return { title: "T", place: "sockets", kind: "unary", ...counts, ...about, stacks };
}

const judged = (result: ComparisonResult) => callVerdicts(result).map(verdictLine);

describe("targets of calls", () => {
  it("are, over the fake transport, for everything switched on", () => {
    const rows = [stack("bare", 1), stack("holdfast", 9, 9), stack("holdfast-events", 1.5, 1.31)];

    expect(judged(compared({ place: "fake" }, ...rows))).toEqual([
      "  holdfast-events to bare: CPU 1.50, target at most 1.5: met",
      "  holdfast-events to bare: heap bytes 1.31, target at most 1.3: MISSED",
    ]);
  });

  it("are, over sockets, for both doors and against all that retry", () => {
    const rows = ["bare", "holdfast", "promises", "grpc-js-retry", "opossum"];
    const result = compared({}, ...rows.map((name, at) => stack(name, [1, 1.06, 0.85, 1.06, 0.5][at]!)));

    expect(judged(result).slice(0, 1)).toEqual(["  holdfast to bare: CPU 1.06, target at most 1.05: MISSED"]);
    expect(judged(result)).toContain("  holdfast to grpc-js-retry: CPU 1.00, target below 1: MISSED");
    expect(judged(result).join()).not.toContain("opossum");
  });

  it("are, for streams, per message and against bare alone", () => {
    const result = compared(
      { kind: "bidi" },
      stack("bare", 1),
      stack("holdfast", 1.05),
      stack("grpc-js-retry", 1),
    );

    expect(judged(result)).toEqual(["  holdfast to bare: CPU 1.05, target at most 1.05: met"]);
  });

  it("are not judged where ratios refer to something else than bare", () => {
    expect(judged(compared({}, stack("holdfast", 1), stack("bare", 1)))).toEqual([]);
  });

  it("are missed by a measurement that gave no number", () => {
    expect(judged(compared({}, stack("bare", 1), stack("holdfast", Number.NaN)))).toEqual([
      "  holdfast to bare: CPU NaN, target at most 1.05: MISSED",
    ]);
  });
});

it("prints losing rows with the others, and what was missed once more at the end", () => {
  const result = compared({}, stack("bare", 1), stack("holdfast", 2), stack("opossum", 0.5));
  const section = {
    part: "sockets" as const,
    data: result,
    table: table(result),
    verdicts: callVerdicts(result),
  };

  expect(
    sectionText(section)
      .split("\n")
      .slice(2, 5)
      .map((line) => line.split(" ")[0]),
  ).toEqual(["bare", "holdfast", "opossum"]);
  expect(summary([section])).toBe(
    "0 of 1 targets met\n  T, 64 in flight: holdfast to bare: CPU 2.00, target at most 1.05: MISSED",
  );
});
