import * as grpc from "@grpc/grpc-js";
import { type CallSettings, callOptions } from "holdfast";
import { expect, it } from "vitest";
import { configErrorOf } from "../support/config-error.js";

const badInputs: readonly (readonly [unknown, string])[] = [
  [{ timeoutMS: 5 }, "timeoutMS is not a known key (did you mean timeoutMs?)"],
  [{ idempotant: true }, "idempotant is not a known key (did you mean idempotent?)"],
  [{ timeoutMs: Number.NaN }, "timeoutMs is NaN"],
  [{ timeoutMs: -5 }, "timeoutMs is -5; allowed: 1 or more"],
  [{ timeoutMs: 0 }, "timeoutMs is 0; allowed: 1 or more"],
  [{ timeoutMs: Number.POSITIVE_INFINITY }, "timeoutMs is Infinity"],
  [{ timeoutMs: "500" }, 'timeoutMs is "500"; allowed: a value of type number'],
  [{ deadline: Number.NaN }, "deadline is NaN"],
  [{ deadline: new Date(Number.NaN) }, "deadline is"],
  [{ timeoutMs: 5, deadline: new Date() }, "timeoutMs and deadline are both set; give one of them"],
  [{ idempotent: "yes" }, 'idempotent is "yes"; allowed: a value of type boolean'],
  [{ waitForReady: 1 }, "waitForReady is 1; allowed: a value of type boolean"],
  [{ signal: {} }, "signal"],
  [{ retry: true }, "retry is true"],
  [{ retry: { maxAttempts: 0 } }, "retry.maxAttempts is 0; allowed: 1 or more"],
  [{ retry: { maxAttempts: 21 } }, "retry.maxAttempts is 21; allowed: 20 or less"],
  [{ retry: { maxAtempts: 2 } }, "retry.maxAtempts is not a known key (did you mean maxAttempts?)"],
  [{ retry: { backoff: { initialMs: -1 } } }, "retry.backoff.initialMs is -1; allowed: 1 or more"],
  [{ retry: { retryableCodes: ["NOPE"] } }, "NOPE"],
  [{ hashKey: "" }, 'hashKey is ""; allowed: a length of 1 or more'],
  [null, "options is null; allowed: a value of type object"],
  ["fast", 'options is "fast"; allowed: a value of type object'],
];

it.each(badInputs)("refuses %o with one error that says what is wrong", (input, sentence) => {
  const error = configErrorOf(() => callOptions(input as CallSettings));

  expect(error).toMatchObject({ reason: "CONFIG_INVALID", code: grpc.status.INTERNAL });
  expect(error.details).toMatch(/^callOptions: 1 problem: /);
  expect(error.details).toContain(sentence);
});

it("names all problems at once", () => {
  const input = { timeoutMs: -1, idempotent: 2, signl: null } as unknown as CallSettings;

  const error = configErrorOf(() => callOptions(input));

  expect(error.details).toMatch(/^callOptions: 3 problems: /);
  for (const part of ["timeoutMs is -1", "idempotent is 2", "did you mean signal?"]) {
    expect(error.details).toContain(part);
  }
});
