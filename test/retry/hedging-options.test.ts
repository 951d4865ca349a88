import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { hedgingOptionsSchema, hedgingOverrideSchema } from "../../src/retry/hedging-options.js";

describe("hedging options", () => {
  it("say for a user who says nothing: one hedge, at the method's p95, UNAVAILABLE not fatal (R6)", () => {
    expect(hedgingOptionsSchema.parse({})).toEqual({
      maxAttempts: 2,
      delayMs: "p95",
      initialDelayMs: 100,
      nonFatalCodes: [status.UNAVAILABLE],
    });
  });

  it("keep what is set beside defaults", () => {
    expect(hedgingOptionsSchema.parse({ maxAttempts: 4 })).toMatchObject({ maxAttempts: 4, delayMs: "p95" });
  });

  it.each([0, 0.5, 50, 86_400_000])("take a delay of %d ms (R6)", (delayMs) => {
    expect(hedgingOptionsSchema.parse({ delayMs }).delayMs).toBe(delayMs);
  });

  it("take codes as numbers and as names in any case, each once (R5, R6)", () => {
    const nonFatalCodes = [14, "unavailable", "Resource_Exhausted", 8];

    expect(new Set(hedgingOptionsSchema.parse({ nonFatalCodes }).nonFatalCodes)).toEqual(
      new Set([status.UNAVAILABLE, status.RESOURCE_EXHAUSTED]),
    );
  });

  it("take an empty list of codes, which makes every failure fatal (R6)", () => {
    expect(hedgingOptionsSchema.parse({ nonFatalCodes: [] }).nonFatalCodes).toEqual([]);
  });

  it("can be turned off for one method or call, and nothing but false does that (R40)", () => {
    expect(hedgingOverrideSchema.parse(false)).toBe(false);
    for (const other of [true, null, 0, "off"]) {
      expect(hedgingOverrideSchema.safeParse(other).success).toBe(false);
    }
  });
});
