import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LatencyWindow } from "../../src/retry/latency-window.js";

function windowOf(...answers: readonly number[]): LatencyWindow {
  const window = new LatencyWindow();
  for (const ms of answers) window.record(ms);
  return window;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const times = (count: number, ms: number): number[] => Array.from({ length: count }, () => ms);

describe("the 95th percentile of a method's answers", () => {
  it("is unknown before the 20th answer, and the second slowest of 20 from then on", () => {
    const window = windowOf(...upTo(19));
    expect(window.p95Ms).toBeNull();

    window.record(20);

    expect(window.p95Ms).toBe(19);
  });

  it("is a time that 95 % of the last 128 answers kept, and a shorter one is not", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 20 }), (answers) => {
        const last = answers.slice(-128);
        // A window made anew has sorted nothing yet.
        const p95 = windowOf(...answers).p95Ms as number;

        const within = last.filter((ms) => ms <= p95).length;
        const below = last.filter((ms) => ms < p95).length;

        expect(within).toBeGreaterThanOrEqual(last.length * 0.95);
        expect(below).toBeLessThan(last.length * 0.95);
      }),
      { numRuns: 200 },
    );
  });

  it("forgets what is older than 128 answers", () => {
    const window = windowOf(...times(200, 900), ...times(128, 4));

    expect(window.p95Ms).toBe(4);
  });

  it("follows a change within 16 answers, without sorting for each of them", () => {
    const window = windowOf(...times(20, 10));
    expect(window.p95Ms).toBe(10);

    for (const ms of times(15, 500)) window.record(ms);
    expect(window.p95Ms).toBe(10);
    window.record(500);

    expect(window.p95Ms).toBe(500);
  });

  it("orders numbers as numbers, not as text", () => {
    expect(windowOf(...times(18, 9), 10, 100).p95Ms).toBe(10);
  });
});

describe("an attempt that was given up while it ran", () => {
  it("says nothing while too few answers are known (R41)", () => {
    const window = windowOf(...times(19, 10));

    window.recordAtLeast(5_000);

    expect(window.p95Ms).toBeNull();
  });

  it("says nothing where it was cut off before most answers come, which would make the next ones look fast (R41)", () => {
    const window = windowOf(...times(20, 100));

    for (let lost = 0; lost < 200; lost++) window.recordAtLeast(3);

    expect(window.p95Ms).toBe(100);
  });

  it("counts with the time it took at least where that is longer than most answers take (R41)", () => {
    const window = windowOf(...times(20, 100));

    for (let lost = 0; lost < 16; lost++) window.recordAtLeast(150);

    expect(window.p95Ms).toBe(150);
  });
});
