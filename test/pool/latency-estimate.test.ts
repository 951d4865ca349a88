import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LatencyEstimate } from "../../src/pool/latency-estimate.js";

const TAU_MS = 10_000;

describe("the latency of an endpoint", () => {
  it("is -1, which no latency can be, before the first attempt", () => {
    expect(new LatencyEstimate().read(5)).toBe(-1);
  });

  it("rises at once when an attempt was slower (R137)", () => {
    const estimate = new LatencyEstimate();
    estimate.record(10, 0);

    estimate.record(500, 1);

    expect(estimate.read(1)).toBe(500);
  });

  it.each([
    [0, 100],
    [TAU_MS, 100 / Math.E + 10 * (1 - 1 / Math.E)],
    [100 * TAU_MS, 10],
  ])("falls to a faster attempt %d ms later as far as time has passed (R137)", (later, expected) => {
    const estimate = new LatencyEstimate();
    estimate.record(100, 0);

    estimate.record(10, later);

    expect(estimate.read(later)).toBeCloseTo(expected, 6);
  });

  it("fades while no attempt is made, and the next attempt counts nearly alone (R137)", () => {
    const estimate = new LatencyEstimate();
    estimate.record(100, 0);

    expect(estimate.read(TAU_MS)).toBeCloseTo(100 / Math.E, 9);
    expect(estimate.read(5 * TAU_MS)).toBeLessThan(1);
    estimate.record(50, 5 * TAU_MS);

    expect(estimate.read(5 * TAU_MS)).toBeCloseTo(50.3, 1);
  });

  it.each([
    [500, 500],
    [20, 100 / Math.sqrt(Math.E)],
  ])("is raised by an attempt that was given up after %d ms, never lowered (R41)", (ms, expected) => {
    const estimate = new LatencyEstimate();
    estimate.record(100, 0);

    estimate.recordAtLeast(ms, TAU_MS / 2);

    expect(estimate.read(TAU_MS / 2)).toBeCloseTo(expected, 9);
  });

  it("knows of an attempt that was given up when there is no other (R41)", () => {
    const estimate = new LatencyEstimate();

    estimate.recordAtLeast(20, 0);

    expect(estimate.read(0)).toBe(20);
  });

  it("never leaves the range of what was measured, whatever comes when", () => {
    const sample = fc.tuple(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 1, max: 5_000 }));

    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 50 }), (samples) => {
        const estimate = new LatencyEstimate();
        let now = 0;
        for (const [afterMs, ms] of samples) {
          now += afterMs;
          estimate.record(ms, now);
          const all = samples.map(([, each]) => each);
          expect(estimate.read(now)).toBeGreaterThanOrEqual(Math.min(...all) - 1e-6);
          expect(estimate.read(now)).toBeLessThanOrEqual(Math.max(...all));
        }
      }),
    );
  });
});
