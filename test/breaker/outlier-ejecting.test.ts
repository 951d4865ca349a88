import { describe, expect, it } from "vitest";
import { OutlierBench } from "./outlier-bench.js";

const byPercentage = { failurePercentage: { minimumHosts: 1, requestVolume: 10 } };

describe("ejecting", () => {
  it("asks the panic floor before each one, and tells of those it spares (R96)", () => {
    const bench = new OutlierBench({ failurePercentage: byPercentage.failurePercentage, successRate: {} });
    bench.healthy(9);
    bench.calls("sick", 0, 100);
    bench.mayEject = false;

    expect(bench.sweep()).toBe(false);

    expect(bench.isEjected("sick")).toBe(false);
    expect(bench.spared).toEqual([
      ["sick", { method: "success_rate", reason: "max_ejection_overflow" }],
      ["sick", { method: "failure_percentage", reason: "max_ejection_overflow" }],
    ]);
  });

  it.each([
    [0, 0, false],
    [1, 0, true],
    [1, 0.0099, true],
    [1, 0.01, false],
    [50, 0.4999, true],
    [50, 0.5, false],
    [100, 0.9999, true],
  ])(
    "at %i percent of enforcement and a roll of %d ejects: %s (R97)",
    (enforcementPercent, roll, isEjected) => {
      const bench = new OutlierBench({
        failurePercentage: { ...byPercentage.failurePercentage, enforcementPercent },
      });
      bench.roll = roll;
      bench.calls("sick", 0, 10);

      bench.sweep();

      expect(bench.isEjected("sick")).toBe(isEjected);
      expect(bench.spared).toEqual(
        isEjected ? [] : [["sick", { method: "failure_percentage", reason: "enforcement_percentage" }]],
      );
    },
  );

  it("holds for connections that come up while the endpoint is out: they share its tally (R98)", () => {
    const bench = new OutlierBench(byPercentage);
    bench.calls("sick", 0, 10);
    bench.sweep();

    expect(bench.detection.tallyFor("sick").isEjected).toBe(true);
  });

  it("lets an endpoint back in with the first sweep after its time, longer each time up to the maximum (R93, R99)", () => {
    const bench = new OutlierBench({ ...byPercentage, maxEjectionMs: 75_000 });
    const outMs: number[] = [];

    for (let round = 0; round < 4; round++) {
      bench.calls("sick", 0, 10);
      bench.sweep();
      expect(bench.isEjected("sick")).toBe(true);
      const since = bench.now;
      while (bench.isEjected("sick")) bench.sweep();
      outMs.push(bench.now - since);
    }

    // 30, 60, 75 and 75 seconds, each until the sweep after it.
    expect(bench.ejected.map(([, { forMs, times }]) => [forMs, times])).toEqual([
      [30_000, 1],
      [60_000, 2],
      [75_000, 3],
      [75_000, 4],
    ]);
    expect(outMs).toEqual([40_000, 70_000, 80_000, 80_000]);
    expect(bench.letBackIn).toHaveLength(4);
  });

  it("takes one step back for each clean interval, never below the first time (R93, R99)", () => {
    const bench = new OutlierBench(byPercentage);
    const ejectOnce = () => {
      bench.calls("sick", 0, 10);
      bench.sweep();
      while (bench.isEjected("sick")) bench.sweep();
    };
    ejectOnce();
    ejectOnce();

    bench.sweep();
    ejectOnce();
    for (let n = 0; n < 10; n++) bench.sweep();
    ejectOnce();

    expect(bench.ejected.map(([, { times }]) => times)).toEqual([1, 2, 2, 1]);
  });

  it("lets a base time above the maximum stand (R93)", () => {
    const bench = new OutlierBench({ ...byPercentage, baseEjectionMs: 50_000, maxEjectionMs: 1_000 });
    bench.calls("sick", 0, 10);

    bench.sweep();

    expect(bench.ejected[0]?.[1].forMs).toBe(50_000);
  });

  it("ejects nobody once more for late results, nor for what both algorithms see (R101)", () => {
    const bench = new OutlierBench({ ...byPercentage, successRate: {} });
    bench.healthy(9);
    bench.calls("sick", 0, 100);
    bench.sweep();

    bench.healthy(9);
    bench.calls("sick", 0, 100);
    bench.sweep();

    expect(bench.ejected).toEqual([["sick", { method: "success_rate", forMs: 30_000, times: 1 }]]);
    expect(bench.spared).toEqual([]);
  });

  it("says of a sweep whether anything is to be done about it", () => {
    const bench = new OutlierBench({ ...byPercentage, baseEjectionMs: 10_000 });
    bench.calls("sick", 0, 10);

    const answers = Array.from({ length: 4 }, () => bench.sweep());

    expect(answers).toEqual([true, false, true, false]);
  });

  it("lets one endpoint back in with the sweep that ejects another", () => {
    const bench = new OutlierBench({ ...byPercentage, baseEjectionMs: 5_000 });
    bench.calls("sick", 0, 10);
    bench.sweep();
    bench.calls("other", 0, 10);

    bench.sweep();

    expect([bench.isEjected("sick"), bench.isEjected("other")]).toEqual([false, true]);
  });
});
