import { describe, expect, it } from "vitest";
import { measureUpdates, UPDATED_POLICIES } from "../../bench/pool/update-cost.js";
import { idleVerdicts, updateVerdicts } from "../../bench/pool/updates.js";
import { verdictLine } from "../../bench/report/verdict.js";

describe("an update that changes one of many endpoints", () => {
  it.each(UPDATED_POLICIES)(
    "creates and removes one with %s, and leaves the others what they have",
    async (policy) => {
      const cost = await measureUpdates(policy, 200, 4);

      expect(cost).toMatchObject({ created: 1, removed: 1, reconnected: 0, forgotten: 0 });
      // A ring connects as picked.
      expect(cost.dials).toBe(policy === "ring_hash" ? 0 : 1);
      expect(updateVerdicts(cost).map(({ isMet }) => isMet)).toEqual([true, true]);
    },
  );

  it("misses its target where it touches a second one, or a kept one loses something", () => {
    const cost = { policy: "p", endpoints: 9, created: 1, removed: 1, dials: 1, ms: 1, firstPickMs: 1 };

    expect(updateVerdicts({ ...cost, dials: 2, reconnected: 0, forgotten: 1 }).map(verdictLine)).toEqual([
      "  p: endpoints touched 2.00, target at most 1: MISSED",
      "  p: kept endpoints that lost something 1.00, target at most 0: MISSED",
    ]);
  });

  it("says which part of an endpoint never called is too dear", () => {
    const idle = { endpoints: 10, bytesPerEndpoint: 2_048, innerChannels: 1, timers: 0 };

    expect(idleVerdicts(idle).map(verdictLine)).toEqual([
      "  never called: heap bytes per endpoint 2048.00, target below 2048: MISSED",
      "  never called: inner channels 1.00, target at most 0: MISSED",
      "  never called: timers 0.00, target at most 0: met",
    ]);
  });
});
