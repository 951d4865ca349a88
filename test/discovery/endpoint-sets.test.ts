import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../src/core/index.js";
import { areEqual, eachOnce, isRepeated, lostFrom } from "../../src/discovery/endpoint-sets.js";

const A: Endpoint = { address: "a:1" };
const B: Endpoint = { address: "b:1" };
const C: Endpoint = { address: "c:1" };

describe("eachOnce", () => {
  it("keeps the first of equal addresses, and the order of the rest (R110)", () => {
    const first = { ...A, weight: 2 };
    const second = { ...A, weight: 3 };

    expect(eachOnce([B, first, C, second, B])).toEqual([B, first, C]);
  });

  it("copies nothing where no address comes twice", () => {
    const set = [A, B];

    expect(eachOnce(set)).toBe(set);
  });
});

describe("lostFrom", () => {
  it.each([
    ["nothing, where all are still there", [A, B], [B, A], []],
    ["nothing, where only more came", [A], [A, B], []],
    ["all, where the answer is empty", [A, B], [], [A, B]],
    ["all, where it names others", [A], [B], [A]],
    ["those left out, in their order", [C, A, B], [A], [C, B]],
    ["nothing, where only a weight changed", [A], [{ ...A, weight: 2 }], []],
  ])("is %s", (_what, before, after, lost) => {
    expect(lostFrom(before, after)).toEqual(lost);
  });
});

describe("isRepeated", () => {
  it.each<[string, readonly Endpoint[], readonly Endpoint[], boolean]>([
    ["no endpoints, twice", [], [], true],
    [
      "the same, said anew",
      [A, { ...B, metadata: { v: "1" } }],
      [{ ...A }, { ...B, metadata: { v: "1" } }],
      true,
    ],
    ["the same in another order", [A, B], [B, A], false],
    ["one more", [A], [A, B], false],
    ["one less", [A, B], [A], false],
    ["one address twice", [A, B], [A, A], false],
    ["another weight", [A], [{ ...A, weight: 2 }], false],
  ])("of %s", (_what, set, answer, repeats) => {
    expect(isRepeated(set, answer)).toBe(repeats);
  });
});

describe("areEqual", () => {
  it.each<[string, readonly Endpoint[], readonly Endpoint[]]>([
    ["two empty sets", [], []],
    ["the same endpoints in another order", [A, B, C], [C, A, B]],
    ["defaults, and fields that have their value", [A], [{ ...A, weight: 1, priority: 0, isProxied: false }]],
    ["no metadata, and metadata without keys", [A], [{ ...A, metadata: {} }]],
    [
      "metadata in another order",
      [{ ...A, metadata: { x: "1", y: "2" } }],
      [{ ...A, metadata: { y: "2", x: "1" } }],
    ],
  ])("is true for %s", (_what, one, other) => {
    expect(areEqual(one, other)).toBe(true);
    expect(areEqual(other, one)).toBe(true);
  });

  it.each<[string, Endpoint]>([
    ["address", B],
    ["serverName", { ...A, serverName: "b" }],
    ["isProxied", { ...A, isProxied: true }],
    ["priority", { ...A, priority: 1 }],
    ["weight", { ...A, weight: 2 }],
    ["zone", { ...A, zone: "east" }],
    ["hashKey", { ...A, hashKey: "k" }],
    ["metadata", { ...A, metadata: { version: "2" } }],
  ])("is false where the %s differs", (_field, changed) => {
    expect(areEqual([A, C], [changed, C])).toBe(false);
    expect(areEqual([changed, C], [A, C])).toBe(false);
  });

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ["another value", { v: "1" }, { v: "2" }],
    ["another key", { v: "1" }, { w: "1" }],
    ["one key more", { v: "1" }, { v: "1", w: "1" }],
    ["a key that every object has", { v: "1" }, { v: "1", constructor: "x" }],
  ])("is false for metadata with %s", (_what, one, other) => {
    expect(areEqual([{ ...A, metadata: one }], [{ ...A, metadata: other }])).toBe(false);
    expect(areEqual([{ ...A, metadata: other }], [{ ...A, metadata: one }])).toBe(false);
  });

  it("is false where one set has more", () => {
    expect(areEqual([A], [A, B])).toBe(false);
    expect(areEqual([A, B], [A])).toBe(false);
  });
});
