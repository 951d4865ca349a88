import { describe, expect, it } from "vitest";
import { measurePicks, type PickCost } from "../../bench/pool/pick-costs.js";
import { pickTable, pickVerdicts } from "../../bench/pool/pick-report.js";
import { endpointsOf, POLICIES } from "../../bench/pool/policies.js";
import { readyPool, shuffle } from "../../bench/pool/ready-pool.js";
import { verdictLine } from "../../bench/report/verdict.js";

/** Both paths at the three sizes; `ratio` and `bytes` are those of the largest set. */
function costs(ratio: number, bytes = 0): PickCost[] {
  return (["pool", "picker"] as const).flatMap((path) => [
    { path, endpoints: 3, nanos: 50, ratio: 1, bytes: 0 },
    { path, endpoints: 100, nanos: 60, ratio: 1.2, bytes: 0 },
    { path, endpoints: 10_000, nanos: 50 * ratio, ratio, bytes },
  ]);
}

const judged = (policy: string, ...of: Parameters<typeof costs>) =>
  pickVerdicts({ policy, costs: costs(...of) }).map(verdictLine);

describe("targets of picks", () => {
  it("let a pick among 10,000 cost three times one among 3, and allocate nothing", () => {
    expect(judged("least_request", 3.1, 1)).toEqual([
      "  least_request, through the pool: ns at 10,000 to 3 3.10, target at most 3: MISSED",
      "  least_request, through the pool: bytes per pick 1.00, target below 1: MISSED",
      "  least_request, the picker alone: ns at 10,000 to 3 3.10, target at most 3: MISSED",
      "  least_request, the picker alone: bytes per pick 1.00, target below 1: MISSED",
    ]);
    expect(judged("round_robin", 3).join()).not.toContain("MISSED");
  });

  it("let searches that are logarithmic cost three times the logarithm of what they search", () => {
    expect(judged("weighted_round_robin", 19.9)[0]).toContain("target at most 19.9: met");
    // A ring has 1,024 entries where there are 3 endpoints.
    expect(judged("ring_hash", 4.1)[0]).toContain("target at most 4: MISSED");
  });

  it("stand below a table that says what the clock costs", () => {
    const policies = [{ policy: "random", costs: costs(2) }];

    const lines = pickTable(policies, { nanos: 40, bytes: 16 }).split("\n");

    expect(lines.map((line) => line.replace(/ {2,}/g, " | "))).toEqual([
      "Picks (all endpoints READY, over a fake network; each policy in a process of its own)",
      " | ns at 3 | ns at 100 | ns at 10,000 | B at 3 | B at 100 | B at 10,000 | last to first",
      "random, through the pool | 50 | 60 | 100 | 0.00 | 0.00 | 0.00 | 2.00",
      "random, the picker alone | 50 | 60 | 100 | 0.00 | 0.00 | 0.00 | 2.00",
      "the clock, which a call reads once as it begins: 40 ns, 16.00 B",
    ]);
  });
});

describe("what picks are measured on", () => {
  it("is a pool that is connected to every endpoint, whether its policy connects by itself or not", async () => {
    for (const { policy } of Object.values(POLICIES)) {
      const { pool, network } = await readyPool(policy, 20);

      expect(pool.subchannels.map(({ state }) => state)).toEqual(Array(20).fill("READY"));
      expect(network.dials.length).toBe(20);
      pool.destroy();
    }
  });

  it("keeps its endpoints and their connections when it is shuffled", async () => {
    const { pool, network } = await readyPool(POLICIES["round_robin shuffled"]!.policy, 50);
    const before = [...pool.subchannels];

    shuffle(pool);

    expect(pool.subchannels).not.toEqual(before);
    expect(new Set(pool.subchannels)).toEqual(new Set(before));
    expect(network.dials.length).toBe(50);
    pool.destroy();
  });

  it("has an address of its own for each of 10,000 endpoints", () => {
    expect(new Set(endpointsOf(10_000, 5).map(({ address }) => address)).size).toBe(10_000);
  });

  it("is every size by both paths", async () => {
    const effort = { rounds: 1, picksPerSlice: 100, heapPicks: 100 };

    const measured = await measurePicks(POLICIES["round_robin"]!, effort, [3, 20]);

    const lanes = measured.map(({ path, endpoints }) => `${path} ${endpoints}`);
    expect(lanes).toEqual(["pool 3", "picker 3", "pool 20", "picker 20"]);
    expect(measured.every(({ nanos, ratio }) => nanos > 0 && ratio > 0)).toBe(true);
  });
});
