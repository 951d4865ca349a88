import { describe, expect, it } from "vitest";
import { plainData } from "../../src/config/plain-data.js";

describe("plain data", () => {
  it("is copied, so that nobody changes it later", () => {
    const original = { a: { b: [1, "x", null, true] } };

    const { value, problems } = plainData(original);
    original.a.b.push(2);

    expect(problems).toEqual([]);
    expect(value).toEqual({ a: { b: [1, "x", null, true] } });
    expect(() => ((value as typeof original).a.b[0] = 9)).toThrow(TypeError);
  });

  it("of another realm, or without a prototype, is data as well", () => {
    const bare = Object.assign(Object.create(null), { a: 1 });

    expect(plainData({ bare }).problems).toEqual([]);
  });

  it("may hold one object in two places", () => {
    const shared = { x: 1 };

    expect(plainData({ a: shared, b: shared })).toEqual({
      value: { a: { x: 1 }, b: { x: 1 } },
      problems: [],
    });
  });
});

describe("what is no plain data", () => {
  class Secret {}
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const throwing = Object.defineProperty({}, "a", {
    enumerable: true,
    get: () => {
      throw new Error("not today");
    },
  });
  const deep = Array.from({ length: 40 }).reduce<unknown>((inner) => ({ a: inner }), 1);

  it.each<[string, unknown, string]>([
    ["an instance", { a: { b: new Secret() } }, "a.b is an object of class Secret; allowed: plain data"],
    ["a Map", new Map(), "the configuration is an object of class Map; allowed: plain data"],
    ["a Date in a list", { a: [1, new Date(0)] }, "a.1 is an object of class Date; allowed: plain data"],
    ["a circle", { a: circle }, "a.self contains itself"],
    [
      "a key that objects swallow",
      JSON.parse('{"a": {"__proto__": {"x": 1}}}'),
      "a.__proto__ is no key that can be used",
    ],
    ["a getter that throws", throwing, "the configuration cannot be read: not today"],
    ["too deep", deep, `${Array(33).fill("a").join(".")} is nested more than 32 levels deep`],
    [
      "too much",
      { a: Array(100_001).fill(0) },
      "the configuration cannot be read: it has more than 100000 values",
    ],
  ])("is named by its path: %s", (_what, input, problem) => {
    expect(plainData(input).problems).toEqual([problem]);
  });

  it("leaves nothing behind on the prototype of all objects", () => {
    plainData(JSON.parse('{"__proto__": {"polluted": true}}'));

    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });
});
