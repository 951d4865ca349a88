import { describe, expect, it } from "vitest";
import { HealthRhythm } from "../../src/pool/health-rhythm.js";
import { fixedRandom, SeededRandom } from "../support/seeded-random.js";

/** Seconds, of those looked at, at which it was due. */
function dueSeconds(rhythm: HealthRhythm, seconds: readonly number[]): number[] {
  return seconds.filter((second) => rhythm.isDue(second * 1_000));
}

const seconds = (count: number): number[] => Array.from({ length: count }, (_, second) => second);

describe("what is asked once in an interval", () => {
  it("is due at once, then at an instant of chance, then every interval", () => {
    const rhythm = new HealthRhythm(10_000, fixedRandom(0.35));

    expect(dueSeconds(rhythm, seconds(36))).toEqual([0, 4, 14, 24, 34]);
  });

  it("is due once after a pause, and at its own instant again", () => {
    const rhythm = new HealthRhythm(10_000, fixedRandom(0.35));

    expect(dueSeconds(rhythm, [0, 4, 1_000, 1_001, 1_002, 1_003, 1_004, 1_005])).toEqual([
      0, 4, 1_000, 1_004,
    ]);
  });

  it("spreads a hundred endpoints that came up together over the interval, also after a pause", () => {
    const random = new SeededRandom(7);
    const rhythms = Array.from({ length: 100 }, () => new HealthRhythm(10_000, random));
    const dueAt = (second: number): number => rhythms.filter((rhythm) => rhythm.isDue(second * 1_000)).length;
    expect(dueAt(0)).toBe(100);

    const before = seconds(10).map((second) => dueAt(second + 1));
    dueAt(10_000);
    const after = seconds(10).map((second) => dueAt(second + 10_001));

    expect(Math.max(...before, ...after)).toBeLessThan(25);
    expect(before.reduce((sum, count) => sum + count, 0)).toBe(100);
    expect(after.reduce((sum, count) => sum + count, 0)).toBe(100);
  });
});
