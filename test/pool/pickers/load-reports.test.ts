import { describe, expect, it } from "vitest";
import { parseOptions } from "../../../src/core/index.js";
import { weightedRoundRobin } from "../../../src/pool/pickers/weighted-round-robin.js";
import {
  type WeightedRoundRobinOptions,
  weightedRoundRobinOptionsSchema,
} from "../../../src/pool/pickers/weighted-round-robin-options.js";
import { ManualClock } from "../../support/manual-clock.js";
import { ANY, callAt, type FakeCandidate, fakeCandidates, pickerInput } from "./fake-candidate.js";

function policyOf(options: WeightedRoundRobinOptions) {
  return weightedRoundRobin(parseOptions(weightedRoundRobinOptionsSchema, options, "weightedRoundRobin"));
}

/** A picker over endpoints that report these weights. */
function scene(weights: readonly number[], options: WeightedRoundRobinOptions = {}) {
  const candidates = fakeCandidates(weights.length);
  const report = (changed: readonly number[]) => {
    for (const [index, weight] of changed.entries()) candidates[index]!.weight = weight;
  };
  report(weights);
  const clock = new ManualClock();
  const picker = policyOf({ source: "load_reports", ...options }).create(pickerInput(candidates, { clock }));
  const counts = (calls: number) => {
    const picked = Array.from({ length: calls }, () => picker.pick(ANY, callAt(clock))!);
    return candidates.map((candidate: FakeCandidate) => picked.filter((one) => one === candidate).length);
  };
  return { clock, report, counts };
}

describe("weighted_round_robin with load reports", () => {
  it.each([
    ["by weight", [30, 10], [300, 100]],
    ["the mean to one without a report", [30, 10, 0], [300, 100, 200]],
    ["evenly while only one has reported", [30, 0, 0], [100, 100, 100]],
    ["evenly before the first report", [0, 0], [50, 50]],
  ])("shares calls %s (R122)", (_, weights, expected) => {
    const total = expected.reduce((a, b) => a + b);

    expect(scene(weights).counts(total)).toEqual(expected);
  });

  it("looks at the weights once weightUpdateMs are over, without a timer (R118)", async () => {
    const { clock, report, counts } = scene([10, 10]);
    report([30, 10]);
    await clock.advance(999);
    expect(counts(40)).toEqual([20, 20]);

    await clock.advance(1);

    expect(counts(40)).toEqual([30, 10]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("looks again each weightUpdateMs, and not in between (R118)", async () => {
    const { clock, report, counts } = scene([10, 10], { weightUpdateMs: 100 });
    await clock.advance(99);

    for (const weights of [
      [30, 10],
      [10, 30],
      [0, 0],
    ]) {
      report(weights);
      await clock.advance(1);
      const [a, b] = counts(40);
      expect(a! - b!).toBe(weights[0]! - weights[1]!);
      report([70, 10]);
      await clock.advance(99);
      expect(counts(40)).toEqual([a, b]);
    }
  });

  it("tells the pool where reports come from and what they are worth", () => {
    const { loadReports } = policyOf({
      source: "load_reports",
      oobLoadReports: true,
      oobReportingPeriodMs: 5_000,
      blackoutMs: 0,
      weightExpirationMs: 60_000,
      errorUtilizationPenalty: 0.5,
      metricNames: ["named_metrics.queue.depth"],
    });

    expect(loadReports).toEqual({
      isOutOfBand: true,
      oobReportingPeriodMs: 5_000,
      blackoutMs: 0,
      weightExpirationMs: 60_000,
      errorUtilizationPenalty: 0.5,
      metricNames: ["named_metrics.queue.depth"],
    });
  });
});

describe("the options of weighted_round_robin", () => {
  it("are gRPC's unless set (R118)", () => {
    expect(weightedRoundRobinOptionsSchema.parse({})).toEqual({
      source: "endpoints",
      blackoutMs: 10_000,
      weightExpirationMs: 180_000,
      weightUpdateMs: 1_000,
      errorUtilizationPenalty: 1,
      oobLoadReports: false,
      oobReportingPeriodMs: 10_000,
      metricNames: [],
    });
  });

  it.each<[object, string]>([
    [{ errorUtilizationPenalty: -0.1 }, "errorUtilizationPenalty is -0.1; allowed: 0 or more"],
    [
      { errorUtilizationPenalty: Number.NaN },
      "errorUtilizationPenalty is NaN; allowed: a value of type number",
    ],
    [{ weightUpdateMs: 99 }, "weightUpdateMs is 99; allowed: 100 or more"],
    [{ weightExpirationMs: 0 }, "weightExpirationMs is 0; allowed: 1 or more"],
    [{ oobReportingPeriodMs: 0 }, "oobReportingPeriodMs is 0; allowed: 1 or more"],
    [{ blackoutMs: -1 }, "blackoutMs is -1; allowed: 0 or more"],
    [{ source: "discovery" }, 'source is "discovery"; allowed: "endpoints", "load_reports"'],
    [{ metricNames: ["cpu"] }, 'metricNames.0 is "cpu"; allowed: cpu_utilization, mem_utilization'],
    [{ metricNames: ["named_metrics."] }, 'metricNames.0 is "named_metrics."'],
    [{ blackoutPeriod: "10s" }, "blackoutPeriod is not a known key"],
  ])("name what is wrong with %j (R118)", (options, says) => {
    expect(() => policyOf(options)).toThrow(says);
  });
});
