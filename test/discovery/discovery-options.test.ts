import { describe, expect, it } from "vitest";
import { parseOptions } from "../../src/core/index.js";
import { discoveryOptionsSchema } from "../../src/discovery/discovery-options.js";

describe("discoveryOptionsSchema", () => {
  it("has a default for everything", () => {
    expect(discoveryOptionsSchema.parse({})).toEqual({
      minIntervalMs: 1_000,
      lookupTimeoutMs: 5_000,
      refreshMs: 30_000,
      filePollMs: 500,
      emptyGraceMs: 30_000,
      maxShrinkRatio: 0.5,
      shrinkGraceMs: 500,
      maxStaleMs: null,
      consul: { waitMs: 60_000 },
      etcd: {},
    });
  });

  it("takes zero as a value, not as a gap to fill", () => {
    expect(discoveryOptionsSchema.parse({ minIntervalMs: 0 }).minIntervalMs).toBe(0);
  });

  it.each([
    [{ minIntervalMs: -1 }, "minIntervalMs is -1"],
    [{ lookupTimeoutMs: 0 }, "lookupTimeoutMs is 0"],
    [{ lookupTimeoutMs: Number.POSITIVE_INFINITY }, "lookupTimeoutMs is Infinity"],
    [{ refreshMs: 0 }, "refreshMs is 0"],
    [{ filePollMs: 9 }, "filePollMs is 9"],
    [{ emptyGraceMs: -1 }, "emptyGraceMs is -1"],
    [{ maxShrinkRatio: 1.5 }, "maxShrinkRatio is 1.5"],
    [{ shrinkGraceMs: "1s" }, 'shrinkGraceMs is "1s"'],
    [{ maxStaleMs: 0 }, "maxStaleMs is 0"],
    [{ consul: { waitMs: 999 } }, "consul.waitMs is 999"],
    [{ consul: { waitMs: 600_001 } }, "consul.waitMs is 600001"],
    [{ minInterval: 5 }, "minInterval is not a known key (did you mean minIntervalMs?)"],
  ])("refuses %j and says why", (options, problem) => {
    expect(() => parseOptions(discoveryOptionsSchema, options, "discovery")).toThrow(problem);
  });

  it.each([
    [{ consul: { token: ["s3cret"] } }, "consul.token"],
    [{ consul: { token: "s3cret", tokenFile: "/run/token" } }, "consul.tokenFile: set beside token"],
    [{ etcd: { password: 53.25 } }, "etcd.password"],
  ])("names a key that is wrong with %j, and never the secret", (options, problem) => {
    const parse = () => parseOptions(discoveryOptionsSchema, options, "discovery");

    expect(parse).toThrow(problem);
    expect(parse).not.toThrow(/s3cret|53\.25/);
  });
});
