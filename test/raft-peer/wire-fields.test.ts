import { expect, it } from "vitest";
import { booleanOf, fromInt64, idOf, textOf, toBytes, toInt64 } from "../../src/raft-peer/wire-fields.js";

it.each([
  Number.MAX_SAFE_INTEGER + 1,
  Number.MIN_SAFE_INTEGER - 1,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  "5" as unknown as number,
  5n as unknown as number,
  undefined as unknown as number,
])("refuses %s as a number, with the field and the value in the error", (value) => {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);

  expect(() => toInt64("term", value)).toThrow(
    new RangeError(`term is ${text}; allowed: an integer from -9007199254740991 to 9007199254740991`),
  );
});

it.each([2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n])(
  "refuses %s from the wire instead of rounding it",
  (value) => {
    expect(() => fromInt64("lastLogIndex", value)).toThrow(
      new RangeError(
        `lastLogIndex is ${value}; allowed: an integer from -9007199254740991 to 9007199254740991`,
      ),
    );
  },
);

it("names the entry of a list whose field does not fit", () => {
  expect(() => toInt64("term", -0.5, { list: "entries", index: 3 })).toThrow(/^entries\[3\]\.term is -0\.5;/);
});

it.each([0n, 2n ** 62n - 1n, 2n ** 63n - 1n])("takes the id %s", (id) => {
  expect(idOf("clientId", id)).toBe(id);
});

it.each([-1n, 2n ** 63n, 7 as unknown as bigint, "7" as unknown as bigint])("refuses the id %s", (id) => {
  expect(() => idOf("clientId", id)).toThrow(/^clientId is .*7?.*; allowed: a bigint from 0 to 2\^63-1$/);
});

it.each([1, "true", undefined, null])("refuses %s where true or false belongs", (value) => {
  expect(() => booleanOf("voteGranted", value as unknown as boolean)).toThrow(
    /^voteGranted is .*; allowed: true or false$/,
  );
});

it.each([5, null, undefined, Buffer.from("k")])("refuses %s where a string belongs", (value) => {
  expect(() => textOf("key", value as unknown as string)).toThrow(/^key is .*; allowed: a string$/);
});

it("refuses half a surrogate pair, which would arrive as another key", () => {
  expect(() => textOf("key", "a\uD800b")).toThrow(/^key has half a surrogate pair/);
  expect(textOf("key", "😀中é")).toBe("😀中é");
});

it("shares the memory of bytes instead of copying it, also of a part of a larger array", () => {
  const whole = Uint8Array.of(1, 2, 3, 4);

  const bytes = toBytes("data", whole.subarray(1, 3));
  whole[1] = 9;

  expect([...bytes]).toEqual([9, 3]);
});

it("refuses bytes that are none, without showing what they hold", () => {
  expect(() => toBytes("data", { secret: "s3cret" } as unknown as Uint8Array)).toThrow(
    new RangeError("data is of type object; allowed: a Uint8Array"),
  );
});
