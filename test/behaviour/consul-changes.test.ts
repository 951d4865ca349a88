import { expect, it } from "vitest";
import { runChanges } from "../../bench/discovery-load/changes.js";
import { mustSkipConsul, whyNoConsul } from "../support/consul-agent.js";

// Quicker to ask and to believe than by default, so that it takes seconds; the minute with the defaults is
// `npm run bench -- --consul`.
const PACE = { calmMs: 200, discovery: { minIntervalMs: 100, emptyGraceMs: 2_000, lookupTimeoutMs: 20_000 } };

it.skipIf(mustSkipConsul)(
  `loses no call while a service scales, restarts, changes weights and tags in Consul (D15, D16)${whyNoConsul}`,
  async () => {
    const result = await runChanges(PACE);

    expect(result.failures).toEqual({});
    expect(result.calls).toBeGreaterThan(500);
    expect(result.changes.map(({ title, joined, left }) => [title, joined, left])).toEqual([
      ["3 servers", 3, 0],
      ["3 to 9", 6, 0],
      ["rolling restart of 9", 9, 9],
      ["9 to 2", 0, 7],
      ["weights 1 and 8", 0, 0],
      ["tag of 2 and 2 changed", 2, 2],
    ]);
    expect(result.strayCalls).toBe(0);
    expect(result.untaggedCalls).toBe(0);
    expect(result.weightRatio).toBeGreaterThan(4);
    // Each of them was in an answer of Consul's before it was used, and missing in one before it was removed.
    for (const { usedMs, goneMs } of result.changes) {
      expect(usedMs ?? 0).toBeGreaterThanOrEqual(0);
      expect(goneMs ?? 0).toBeGreaterThanOrEqual(0);
    }
  },
  90_000,
);
