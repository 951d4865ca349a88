import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { parseOptions } from "../../src/core/index.js";
import {
  backoffOptionsSchema,
  retryOptionsSchema,
  retryOverrideSchema,
  throttleOptionsSchema,
} from "../../src/retry/retry-options.js";

/** The problems a user reads, or null when the input is accepted. */
function problems(schema: z.ZodType, input: unknown): string | null {
  try {
    parseOptions(schema, input, "retry");
    return null;
  } catch (error) {
    return (error as Error).message.replace(/^CONFIG_INVALID: retry: \d+ problems?: /, "");
  }
}

describe("retry options", () => {
  it("E42, E14: gives a user who says nothing the documented defaults", () => {
    const resolved = parseOptions(retryOptionsSchema, {}, "retry");

    expect(resolved).toEqual({
      maxAttempts: 3,
      maxAttemptsLimit: 5,
      backoff: { kind: "exponential", initialMs: 100, multiplier: 2, maxMs: 1_000, jitter: "spread20" },
      retryableCodes: [14],
      throttle: { maxTokens: 20, tokenRatio: 0.1 },
      perCallBufferBytes: 1_048_576,
      perChannelBufferBytes: 16_777_216,
    });
  });

  it("keeps the other defaults of a group when one field is set", () => {
    const resolved = parseOptions(
      retryOptionsSchema,
      { backoff: { initialMs: 5 }, throttle: { maxTokens: 8 } },
      "retry",
    );

    expect(resolved.backoff).toMatchObject({ initialMs: 5, multiplier: 2, maxMs: 1_000 });
    expect(resolved.throttle).toEqual({ maxTokens: 8, tokenRatio: 0.1 });
  });

  it("lets a user switch the throttle off", () => {
    const resolved = parseOptions(retryOptionsSchema, { throttle: false }, "retry");

    expect(resolved.throttle).toBe(false);
  });

  it("R5: takes codes as numbers and as names in any case, each once", () => {
    const retryableCodes = [14, "unavailable", "Resource_Exhausted", 8, 10];

    const resolved = parseOptions(retryOptionsSchema, { retryableCodes }, "retry");

    expect(resolved.retryableCodes).toEqual([14, 8, 10]);
  });

  it("R3: accepts an initialMs above maxMs", () => {
    expect(problems(backoffOptionsSchema, { initialMs: 500, maxMs: 100 })).toBeNull();
  });

  it("R4: accepts a multiplier below 1", () => {
    expect(problems(backoffOptionsSchema, { multiplier: 0.5 })).toBeNull();
  });

  it.each([
    [{ maxAttempts: 1 }],
    [{ maxAttempts: 5 }],
    [{ maxAttempts: 20, maxAttemptsLimit: 20 }],
    [{ perCallBufferBytes: 0, perChannelBufferBytes: 0 }],
    [{ throttle: { maxTokens: 1_000, tokenRatio: 0.001 } }],
    [{ throttle: { maxTokens: 0.001, tokenRatio: 5 } }],
  ])("accepts the limits themselves: %j", (input) => {
    expect(problems(retryOptionsSchema, input)).toBeNull();
  });

  it.each([
    [{ maxAttempts: 7 }, "maxAttempts is 7; allowed: 1 to maxAttemptsLimit (5)"],
    [{ maxAttempts: 3, maxAttemptsLimit: 2 }, "maxAttempts is 3; allowed: 1 to maxAttemptsLimit (2)"],
    [{ maxAttempts: 0 }, "maxAttempts is 0; allowed: 1 or more"],
    [{ maxAttempts: 1.5 }, "maxAttempts is 1.5; allowed: a value of type int"],
    [{ maxAttemptsLimit: 21 }, "maxAttemptsLimit is 21; allowed: 20 or less"],
    [{ maxAttempt: 3 }, "maxAttempt is not a known key (did you mean maxAttempts?)"],
    [{ backoff: { initialMs: 0 } }, "backoff.initialMs is 0; allowed: 1 or more"],
    [{ backoff: { maxMs: -5 } }, "backoff.maxMs is -5; allowed: 1 or more"],
    [{ throttle: { maxTokens: 0 } }, "throttle.maxTokens is 0; allowed: 0.001 or more"],
    [{ throttle: { maxTokens: 1_001 } }, "throttle.maxTokens is 1001; allowed: 1000 or less"],
    [{ throttle: { tokenRatio: 0 } }, "throttle.tokenRatio is 0; allowed: 0.001 or more"],
    [{ throttle: true }, "throttle is true; allowed: false, or a value of type object"],
    [{ retryableCodes: [] }, "retryableCodes is an empty array; allowed: 1 entry or more"],
    [{ retryableCodes: ["OK"] }, 'retryableCodes.0: "OK" is no failure, so it cannot be retried'],
    [
      { retryableCodes: [14, "UNAVAILABEL"] },
      'retryableCodes.1: "UNAVAILABEL" is not a gRPC status code (did you mean UNAVAILABLE?)',
    ],
    [{ perCallBufferBytes: -1 }, "perCallBufferBytes is -1; allowed: 0 or more"],
  ])("tells a user what is wrong with %j", (input, message) => {
    expect(problems(retryOptionsSchema, input)).toBe(message);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1])("refuses %d wherever a number belongs", (bad) => {
    const inputs: [z.ZodType, object][] = [
      ...["maxAttempts", "maxAttemptsLimit", "perCallBufferBytes", "perChannelBufferBytes"].map(
        (key): [z.ZodType, object] => [retryOptionsSchema, { [key]: bad }],
      ),
      ...["initialMs", "multiplier", "maxMs"].map((key): [z.ZodType, object] => [
        backoffOptionsSchema,
        { [key]: bad },
      ]),
      ...["maxTokens", "tokenRatio"].map((key): [z.ZodType, object] => [
        throttleOptionsSchema,
        { [key]: bad },
      ]),
    ];

    const accepted = inputs.filter(([schema, input]) => problems(schema, input) === null);

    expect(accepted).toEqual([]);
  });

  it("R4: refuses a multiplier of zero", () => {
    expect(problems(backoffOptionsSchema, { multiplier: 0 })).toContain("multiplier is 0");
  });
});

describe("what one call overrides", () => {
  it("E19: changes only what the call names", () => {
    const resolved = parseOptions(
      retryOverrideSchema,
      { backoff: { maxMs: 50 }, retryableCodes: ["aborted"] },
      "retry",
    );

    expect(resolved).toStrictEqual({ backoff: { maxMs: 50 }, retryableCodes: [10] });
  });

  it("E19: invents nothing for an empty override", () => {
    expect(parseOptions(retryOverrideSchema, {}, "retry")).toStrictEqual({});
  });

  it("E15: turns the retries of a call off with false", () => {
    expect(parseOptions(retryOverrideSchema, false, "retry")).toBe(false);
  });

  it.each([
    [{ maxAttempts: 0 }, "maxAttempts is 0; allowed: 1 or more"],
    [{ maxAttempts: 21 }, "maxAttempts is 21; allowed: 20 or less"],
    [{ maxAttemps: 2 }, "maxAttemps is not a known key (did you mean maxAttempts?)"],
    [{ backoff: { initialMs: 0 } }, "backoff.initialMs is 0; allowed: 1 or more"],
    [
      { retryableCodes: ["ABORTD"] },
      'retryableCodes.0: "ABORTD" is not a gRPC status code (did you mean ABORTED?)',
    ],
    [true, "options is true; allowed: false, or a value of type object"],
  ])("tells a user what is wrong with %j", (input, message) => {
    expect(problems(retryOverrideSchema, input)).toBe(message);
  });
});
