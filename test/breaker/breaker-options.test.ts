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

    expect(resolved).toEqual({
      consecutiveFailures: 5,
      openMs: 5_000,
      maxOpenMs: 60_000,
      probes: 1,
      scope: "endpoint",
      probedBy: "calls",
    });
  });

  it("accepts the limits themselves", () => {
    const least = {
      consecutiveFailures: 1,
      slowCalls: { slowerThanMs: 1, threshold: 1, minimumCalls: 1, size: 1 },
      openMs: 1,
      maxOpenMs: 1,
      probes: 1,
      scope: "method",
      probedBy: "health",
    };

    expect(parseOptions(breakerOptionsSchema, least, "breaker")).toEqual(least);
    expect(parseOptions(breakerOptionsSchema, { ...least, probes: 100 }, "breaker").probes).toBe(100);
  });

  it.each([
    [{ count: {} }, { size: 100, threshold: 0.5, minimumCalls: null }],
    [
      { count: { size: 10_000, threshold: 1, minimumCalls: 10_000 } },
      { size: 10_000, threshold: 1, minimumCalls: 10_000 },
    ],
    [{ sampling: {} }, { durationMs: 10_000, threshold: 0.5, minimumRps: 1 }],
    [
      { sampling: { durationMs: 600_000, threshold: 0.001, minimumRps: 0.1 } },
      { durationMs: 600_000, threshold: 0.001, minimumRps: 0.1 },
    ],
  ])("takes %j in place of failures in a row", (input, expected) => {
    const resolved = parseOptions(breakerOptionsSchema, input, "breaker");

    expect(resolved.count ?? resolved.sampling).toEqual(expected);
    expect(resolved.consecutiveFailures).toBeUndefined();
  });

  it("has slow calls beside any rule for failures", () => {
    const slowCalls = { slowerThanMs: 500 };

    const both = parseOptions(breakerOptionsSchema, { slowCalls, count: {} }, "breaker");

    expect(both.slowCalls).toEqual({ slowerThanMs: 500, threshold: 0.5, minimumCalls: null, size: 100 });
    expect(parseOptions(breakerOptionsSchema, { slowCalls }, "breaker").consecutiveFailures).toBe(5);
  });

  it("stays the same when it is parsed again", () => {
    for (const input of [{}, { count: {} }, { sampling: {}, slowCalls: { slowerThanMs: 1 } }]) {
      const once = parseOptions(breakerOptionsSchema, input, "breaker");

      expect(parseOptions(breakerOptionsSchema, once, "breaker")).toEqual(once);
    }
  });

  it("tells all that is wrong at once", () => {
    expect(problem({ consecutiveFailures: 3, count: {}, openMs: 9, maxOpenMs: 8, probes: 0 })).toBe(
      "breaker: 3 problems: probes is 0; allowed: 1 or more; openMs is 9; allowed: 1 to maxOpenMs (8); " +
        "consecutiveFailures is given beside count; allowed: one of consecutiveFailures, count, sampling",
    );
  });

  it.each([
    [
      { consecutiveFailures: 5, sampling: {} },
      "consecutiveFailures is given beside sampling; allowed: one of consecutiveFailures, count, sampling",
    ],
    [
      { count: {}, sampling: {} },
      "count is given beside sampling; allowed: one of consecutiveFailures, count, sampling",
    ],
    [
      { consecutiveFailures: 5, count: {}, sampling: {} },
      "consecutiveFailures is given beside count and sampling; allowed: one of consecutiveFailures, count, sampling",
    ],
    [{ count: { threshold: 0 } }, "count.threshold is 0; allowed: more than 0"],
    [{ count: { threshold: 50 } }, "count.threshold is 50; allowed: 1 or less"],
    [{ count: { size: 0 } }, "count.size is 0; allowed: 1 or more"],
    [{ count: { size: 10_001 } }, "count.size is 10001; allowed: 10000 or less"],
    [{ count: { size: 10, minimumCalls: 20 } }, "count.minimumCalls is 20; allowed: 1 to size (10)"],
    [{ count: { minimumCalls: 0 } }, "count.minimumCalls is 0; allowed: 1 or more"],
    [{ sampling: { durationMs: 999 } }, "sampling.durationMs is 999; allowed: 1000 or more"],
    [{ sampling: { durationMs: 600_001 } }, "sampling.durationMs is 600001; allowed: 600000 or less"],
    [{ sampling: { threshold: Number.NaN } }, "sampling.threshold is NaN; allowed: a value of type number"],
    [{ sampling: { minimumRps: 0 } }, "sampling.minimumRps is 0; allowed: more than 0"],
    [{ slowCalls: {} }, "slowCalls.slowerThanMs is undefined; allowed: a value of type number"],
    [{ slowCalls: { slowerThanMs: 0 } }, "slowCalls.slowerThanMs is 0; allowed: 1 or more"],
    [
      { slowCalls: { slowerThanMs: 9, minimumCalls: 101 } },
      "slowCalls.minimumCalls is 101; allowed: 1 to size (100)",
    ],
    [{ scope: "target" }, 'scope is "target"; allowed: "endpoint", "method"'],
    [{ probedBy: "timer" }, 'probedBy is "timer"; allowed: "calls", "health"'],
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
