import { expect, it } from "vitest";
import { systemRandom } from "../../src/core/random.js";
import { REASONS } from "../../src/core/reasons.js";

it("the reasons are exactly those that users may rely on", () => {
  expect([...REASONS].sort()).toEqual(
    [
      "ATTEMPT_TIMEOUT",
      "CANCELLED",
      "CIRCUIT_OPEN",
      "CLIENT_CLOSED",
      "CONFIG_INVALID",
      "CONNECTION_LOST",
      "DEADLINE_EXCEEDED",
      "DIAL_FAILED",
      "DISCOVERY_FAILED",
      "MESSAGE_TOO_LARGE",
      "METADATA_INVALID",
      "NOT_LEADER",
      "NO_READY_ENDPOINT",
      "OUTCOME_UNKNOWN",
      "OVERLOADED",
      "REMOTE",
      "RETRIES_EXHAUSTED",
      "THROTTLED",
    ].sort(),
  );
});

it("chance lies in [0, 1) and differs from roll to roll", () => {
  const rolls = Array.from({ length: 50 }, () => systemRandom.next());

  expect(rolls.every((roll) => roll >= 0 && roll < 1)).toBe(true);
  expect(new Set(rolls).size).toBeGreaterThan(1);
});
