import { describe, expect, it } from "vitest";
import { simulate } from "./simulate.js";

/** `npx vitest run test/simulation -t "seed 17 "` runs one of them again, exactly. */
const SEEDS = Array.from({ length: 100 }, (_, index) => index + 1);
const SEED_TIMEOUT_MS = 60_000;

describe("loses, doubles and misreports nothing through crashes, torn disks, partitions, delays and duplicates", () => {
  const totals = { acknowledged: 0, retries: 0, tornTails: 0, faults: {} as Record<string, number> };

  it.each(SEEDS)(
    "seed %i ",
    async (seed) => {
      const { problems, acknowledged, retries, tornTails, faults } = await simulate({ seed });

      expect(problems).toEqual([]);
      expect(acknowledged).toBeGreaterThan(10);
      totals.acknowledged += acknowledged;
      totals.retries += retries;
      totals.tornTails += tornTails;
      for (const [name, count] of Object.entries(faults))
        totals.faults[name] = (totals.faults[name] ?? 0) + count;
    },
    SEED_TIMEOUT_MS,
  );

  it("has met every fault many times", () => {
    expect(totals.acknowledged).toBeGreaterThan(30_000);
    expect(totals.retries).toBeGreaterThan(1_000);
    expect(totals.tornTails).toBeGreaterThan(50);
    expect(Object.keys(totals.faults)).toHaveLength(10);
    expect(Math.min(...Object.values(totals.faults))).toBeGreaterThan(20);
  });
});

describe("a failing seed can be looked at again", () => {
  it("does exactly the same for the same seed", { timeout: SEED_TIMEOUT_MS }, async () => {
    const [first, second] = [await simulate({ seed: 7 }), await simulate({ seed: 7 })];

    expect(second).toEqual(first);
  });

  it("does something else for another seed", { timeout: SEED_TIMEOUT_MS }, async () => {
    const [first, second] = [await simulate({ seed: 7 }), await simulate({ seed: 6 })];

    expect(second.fingerprint).not.toBe(first.fingerprint);
  });
});
