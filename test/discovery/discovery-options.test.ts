import { describe, expect, it } from "vitest";
import { parseOptions } from "../../src/core/index.js";
import { discoveryOptionsSchema } from "../../src/discovery/discovery-options.js";

describe("discoveryOptionsSchema", () => {
  it("has a default for everything", () => {
    expect(discoveryOptionsSchema.parse({})).toEqual({ minIntervalMs: 1_000, lookupTimeoutMs: 5_000 });
  });

  it("takes zero as a value, not as a gap to fill", () => {
    expect(discoveryOptionsSchema.parse({ minIntervalMs: 0 }).minIntervalMs).toBe(0);
  });

  it.each([
    [{ minIntervalMs: -1 }, "minIntervalMs is -1"],
    [{ lookupTimeoutMs: 0 }, "lookupTimeoutMs is 0"],
    [{ lookupTimeoutMs: Number.POSITIVE_INFINITY }, "lookupTimeoutMs is Infinity"],
    [{ minInterval: 5 }, "minInterval is not a known key (did you mean minIntervalMs?)"],
  ])("refuses %j and says why", (options, problem) => {
    expect(() => parseOptions(discoveryOptionsSchema, options, "discovery")).toThrow(problem);
  });
});
