import { describe, expect, it } from "vitest";
import { lookupBackoffMs } from "../../src/discovery/lookup-backoff.js";
import { fixedRandom } from "../support/seeded-random.js";

describe("lookupBackoffMs", () => {
  it.each([
    [1, 1_000],
    [2, 1_600],
    [3, 2_560],
    [8, 26_843.5456],
    [9, 30_000],
    [10_000, 30_000],
  ])("waits longer after each failure, up to 30 s (failure %i)", (failures, expected) => {
    expect(lookupBackoffMs(failures, fixedRandom(0.5))).toBeCloseTo(expected, 6);
  });

  it.each([
    [1, 0, 800],
    [1, 1, 1_200],
    [20, 0, 24_000],
    [20, 1, 36_000],
  ])("spreads clients by 20 %% both ways (failure %i, roll %d)", (failures, roll, expected) => {
    expect(lookupBackoffMs(failures, fixedRandom(roll))).toBeCloseTo(expected, 6);
  });
});
