import { describe, expect, it } from "vitest";
import { nextLookupMs } from "../../../src/discovery/dns/refresh-pace.js";
import { fixedRandom } from "../../support/seeded-random.js";

const OPTIONS = { refreshMs: 30_000, minIntervalMs: 1_000 };

function nextAt(ttlMs: number | null, roll: number, options = OPTIONS): number | null {
  return nextLookupMs(ttlMs, options, fixedRandom(roll));
}

describe("nextLookupMs", () => {
  it.each([
    [0, 27_000],
    [0.5, 30_000],
    [1, 33_000],
  ])("spreads the look-ups of many clients by a tenth: a roll of %d gives %d ms", (roll, expected) => {
    expect(nextAt(null, roll)).toBeCloseTo(expected);
  });

  it.each([
    [0, 10_000],
    [1, 11_000],
  ])("looks again when a shorter TTL is over, never before: a roll of %d gives %d ms", (roll, expected) => {
    expect(nextAt(10_000, roll)).toBeCloseTo(expected);
  });

  it("does not wait for a longer TTL", () => {
    expect(nextAt(3_600_000, 0.5)).toBe(30_000);
  });

  it("never asks more often than the shortest interval allows", () => {
    const options = { refreshMs: 10, minIntervalMs: 5_000 };

    expect([nextAt(null, 0.5, options), nextAt(1_000, 0.5, { ...OPTIONS, minIntervalMs: 5_000 })]).toEqual([
      5_000, 5_000,
    ]);
  });

  it("counts a TTL of 0 as a second, also where nothing else sets a pace", () => {
    expect(nextAt(0, 0, { ...OPTIONS, minIntervalMs: 0 })).toBe(1_000);
  });

  it("asks no more by itself where no refresh is wanted, whatever the TTL", () => {
    const options = { refreshMs: null, minIntervalMs: 1_000 };

    expect(nextLookupMs(1_000, options, fixedRandom(0.5))).toBeNull();
  });
});
