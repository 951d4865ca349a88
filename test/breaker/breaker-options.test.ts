import { describe, expect, it } from "vitest";
import { breakerOptionsSchema, maxEjectionPercentSchema } from "../../src/breaker/breaker-options.js";
import { isReason, parseOptions } from "../../src/core/index.js";

function problem(input: unknown): string {
  try {
    return JSON.stringify(parseOptions(breakerOptionsSchema, input, "breaker"));
  } catch (error) {
    if (!isReason(error, "CONFIG_INVALID")) throw error;
    return error.details;
  }
}

describe("breaker options", () => {
  it("gives a user who says nothing the documented defaults", () => {
    const resolved = parseOptions(breakerOptionsSchema, {}, "breaker");

    expect(resolved).toEqual({ consecutiveFailures: 5, openMs: 5_000, maxOpenMs: 60_000, probes: 1 });
  });

  it("accepts the limits themselves", () => {
    const least = { consecutiveFailures: 1, openMs: 1, maxOpenMs: 1, probes: 1 };

    expect(parseOptions(breakerOptionsSchema, least, "breaker")).toEqual(least);
    expect(parseOptions(breakerOptionsSchema, { ...least, probes: 100 }, "breaker").probes).toBe(100);
  });

  it.each([
    [{ openMs: 70_000 }, "openMs is 70000; allowed: 1 to maxOpenMs (60000)"],
    [{ consecutiveFailures: 0 }, "consecutiveFailures is 0; allowed: 1 or more"],
    [{ consecutiveFailures: 2.5 }, "consecutiveFailures is 2.5; allowed: a value of type int"],
    [{ probes: 0 }, "probes is 0; allowed: 1 or more"],
    [{ probes: 101 }, "probes is 101; allowed: 100 or less"],
    [{ openMs: 0 }, "openMs is 0; allowed: 1 or more"],
    [{ maxOpenMs: Number.NaN }, "maxOpenMs is NaN; allowed: a value of type number"],
    [{ maxOpenMs: Number.POSITIVE_INFINITY }, "maxOpenMs is Infinity; allowed: a value of type number"],
    [{ openMS: 3 }, "openMS is not a known key (did you mean openMs?)"],
  ])("tells a user what is wrong with %j", (input, message) => {
    expect(problem(input)).toBe(`breaker: 1 problem: ${message}`);
  });
});

describe("maxEjectionPercent", () => {
  it("is 50 when a user says nothing", () => {
    expect(maxEjectionPercentSchema.parse(undefined)).toBe(50);
  });

  it.each([0, 12.5, 100])("accepts %d", (percent) => {
    expect(maxEjectionPercentSchema.parse(percent)).toBe(percent);
  });

  it.each([-1, 100.1, Number.NaN, Number.POSITIVE_INFINITY, "50"])("refuses %j", (percent) => {
    expect(maxEjectionPercentSchema.safeParse(percent).success).toBe(false);
  });
});
