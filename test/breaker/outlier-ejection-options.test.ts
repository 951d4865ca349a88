import { expect, it } from "vitest";
import { outlierEjectionOptionsSchema } from "../../src/breaker/outlier-ejection-options.js";
import { isReason, parseOptions } from "../../src/core/index.js";

const parse = (input: unknown) => parseOptions(outlierEjectionOptionsSchema, input, "outlierEjection");

function problem(input: unknown): string {
  try {
    return JSON.stringify(parse(input));
  } catch (error) {
    if (!isReason(error, "CONFIG_INVALID")) throw error;
    return error.details;
  }
}

it("runs an algorithm only if its object is present, and an empty one with gRPC's defaults (R90)", () => {
  const times = { intervalMs: 10_000, baseEjectionMs: 30_000, maxEjectionMs: 300_000 };

  expect(parse({})).toEqual(times);
  expect(parse({ successRate: {}, failurePercentage: {} })).toEqual({
    ...times,
    successRate: { stdevFactor: 1_900, enforcementPercent: 100, minimumHosts: 5, requestVolume: 100 },
    failurePercentage: { threshold: 85, enforcementPercent: 100, minimumHosts: 5, requestVolume: 50 },
  });
});

it("accepts the limits themselves (R90)", () => {
  const least = {
    intervalMs: 1,
    baseEjectionMs: 0,
    maxEjectionMs: 0,
    successRate: { stdevFactor: 0, enforcementPercent: 0, minimumHosts: 0, requestVolume: 0 },
    failurePercentage: { threshold: 100, enforcementPercent: 100, minimumHosts: 0, requestVolume: 0 },
  };

  expect(parse(least)).toEqual(least);
});

it.each([
  [{ intervalMs: 0 }, "intervalMs is 0; allowed: 1 or more"],
  [{ baseEjectionMs: -1 }, "baseEjectionMs is -1; allowed: 0 or more"],
  [{ maxEjectionMs: Number.NaN }, "maxEjectionMs is NaN; allowed: a value of type number"],
  [{ maxEjectionPercent: 10 }, "maxEjectionPercent is not a known key"],
  [{ successRate: true }, "successRate is true; allowed: a value of type object"],
  [{ successRate: { stdevFactor: -1 } }, "successRate.stdevFactor is -1; allowed: 0 or more"],
  [{ successRate: { stdevFactor: 1.9 } }, "successRate.stdevFactor is 1.9; allowed: a value of type int"],
  [
    { successRate: { enforcementPercent: 101 } },
    "successRate.enforcementPercent is 101; allowed: 100 or less",
  ],
  [{ successRate: { minimumHosts: -1 } }, "successRate.minimumHosts is -1; allowed: 0 or more"],
  [{ successRate: { requestVolume: -1 } }, "successRate.requestVolume is -1; allowed: 0 or more"],
  [{ failurePercentage: { threshold: 101 } }, "failurePercentage.threshold is 101; allowed: 100 or less"],
  [
    { failurePercentage: { enforcementPercent: -1 } },
    "failurePercentage.enforcementPercent is -1; allowed: 0 or more",
  ],
])("tells a user what is wrong with %j (R90)", (input, message) => {
  expect(problem(input)).toContain(`outlierEjection: 1 problem: ${message}`);
});
