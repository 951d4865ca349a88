import { describe, expect, it } from "vitest";
import { OutlierBench } from "./outlier-bench.js";

const byPercentage = { failurePercentage: { minimumHosts: 1, requestVolume: 10 } };

describe("counting", () => {
  it("keeps one tally for each address, and begins anew when the endpoint has left (R91)", () => {
    const bench = new OutlierBench(byPercentage);
    bench.calls("sick", 0, 10);
    const before = bench.detection.tallyFor("sick");
    bench.sweep();
    expect(bench.detection.tallyFor("sick")).toBe(before);
    expect(bench.isEjected("sick")).toBe(true);

    bench.detection.forget("sick");

    expect(bench.isEjected("sick")).toBe(false);
    bench.sweep();
    expect(bench.letBackIn).toEqual([]);
  });

  it("counts nothing and never sweeps without an algorithm (R92)", () => {
    const bench = new OutlierBench({});
    bench.calls("sick", 0, 1_000);

    expect(bench.detection.nextSweepAt).toBe(Number.POSITIVE_INFINITY);
    expect(bench.detection.sweep(1e12)).toBe(false);
    expect(bench.detection.tallyFor("sick")).toBe(bench.detection.tallyFor("other"));
    expect(bench.isEjected("sick")).toBe(false);
  });

  it("judges the interval that is over, and no call twice (R92, R93)", () => {
    const bench = new OutlierBench({ ...byPercentage, baseEjectionMs: 0 });
    bench.calls("sick", 100, 9);
    bench.sweep();
    bench.calls("sick", 0, 9);
    bench.sweep();
    expect(bench.ejected).toEqual([]);

    bench.calls("sick", 100, 0);
    bench.sweep();
    bench.calls("sick", 0, 10);
    bench.sweep();

    expect(bench.ejected).toHaveLength(1);
  });

  it("sweeps when the interval is over, and measures the next one from there however late that was (R93)", () => {
    const bench = new OutlierBench(byPercentage);
    bench.calls("sick", 0, 10);

    expect(bench.detection.sweep(bench.now + 9_999)).toBe(false);
    expect(bench.detection.sweep(bench.now + 25_000)).toBe(true);
    expect(bench.detection.nextSweepAt).toBe(bench.now + 35_000);
  });
});

describe("by the rate of successes", () => {
  it("ejects the endpoint far below the mean of the others, and tells how (R94)", () => {
    const bench = new OutlierBench({ successRate: {} });
    bench.healthy(9);
    bench.calls("sick", 50, 50);

    expect(bench.sweep()).toBe(true);

    expect(bench.ejected).toEqual([["sick", { method: "success_rate", forMs: 30_000, times: 1 }]]);
  });

  // Rates 1, 1, 1, 1 and 0: the mean is 0.8, the standard deviation 0.4 of them all, so the rate of 0 is two below it.
  it.each([
    [1_999, ["sick"]],
    [2_000, []],
    [2_001, []],
  ])(
    "takes the deviation of the whole population, strictly: a factor of %i ejects %j (R94)",
    (stdevFactor, names) => {
      const bench = new OutlierBench({ successRate: { stdevFactor } });
      bench.healthy(4);
      bench.calls("sick", 0, 100);

      bench.sweep();

      expect(bench.ejected.map(([address]) => address)).toEqual(names);
    },
  );

  it("does nothing with fewer endpoints of enough calls than the minimum (R94)", () => {
    const bench = new OutlierBench({ successRate: { stdevFactor: 0 } });
    bench.healthy(3);
    bench.calls("idle", 99, 0);
    bench.calls("sick", 0, 100);

    bench.sweep();

    expect(bench.ejected).toEqual([]);
  });

  it("leaves those with too few calls out of mean and deviation (R94)", () => {
    const bench = new OutlierBench({ successRate: { stdevFactor: 1_999 } });
    bench.healthy(4);
    bench.calls("sick", 0, 100);
    for (let n = 0; n < 20; n++) bench.calls(`idle-${n}`, 0, 99);

    bench.sweep();

    expect(bench.ejected.map(([address]) => address)).toEqual(["sick"]);
  });

  it.each([3, 5, 10])(
    "makes nobody of %i an outlier where all fail alike, whatever rounding does",
    (hosts) => {
      const bench = new OutlierBench({ successRate: { stdevFactor: 0, minimumHosts: 1 } });
      for (let successes = 1; successes < 100; successes++) {
        for (let host = 0; host < hosts; host++) bench.calls(`h-${host}`, successes, 100 - successes);
        bench.sweep();
      }

      expect(bench.ejected).toEqual([]);
    },
  );
});

describe("by the percentage of failures", () => {
  it.each([
    [85, []],
    [86, ["sick"]],
  ])("ejects above the threshold, strictly: of %i failed in 100, %j (R95)", (failures, names) => {
    const bench = new OutlierBench({ failurePercentage: {} });
    bench.healthy(4);
    bench.calls("sick", 100 - failures, failures);

    bench.sweep();

    expect(bench.ejected).toEqual(
      names.map((name) => [name, { method: "failure_percentage", forMs: 30_000, times: 1 }]),
    );
  });

  it("does nothing with fewer endpoints of enough calls than the minimum (R95)", () => {
    const bench = new OutlierBench({ failurePercentage: {} });
    bench.healthy(3);
    bench.calls("idle", 49, 0);
    bench.calls("sick", 0, 50);

    bench.sweep();

    expect(bench.ejected).toEqual([]);
  });

  it.each([
    { successRate: { minimumHosts: 0, requestVolume: 0, stdevFactor: 1_000 } },
    { failurePercentage: { minimumHosts: 0, requestVolume: 0, threshold: 0 } },
  ])("passes over endpoints without a call, even where no volume is asked for: %j", (options) => {
    const bench = new OutlierBench(options);
    bench.detection.tallyFor("idle");
    bench.sweep();
    bench.healthy(4, 1);
    bench.calls("sick", 0, 1);

    bench.sweep();

    expect(bench.ejected.map(([address]) => address)).toEqual(["sick"]);
  });
});
