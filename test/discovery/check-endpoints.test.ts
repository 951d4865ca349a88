import { describe, expect, it } from "vitest";
import { checkEndpoints, endpointProblems } from "../../src/discovery/check-endpoints.js";
import { configErrorOf, problemCount } from "../support/config-error.js";

const WHOLE = {
  address: "a:1",
  serverName: "a.example",
  isProxied: true,
  priority: 2,
  weight: 0.5,
  zone: "eu-west-1a",
  hashKey: "shard-7",
  metadata: { version: "3" },
};

const circle: Record<string, unknown> = { address: "a:1" };
circle["metadata"] = circle;

describe("a set of endpoints", () => {
  it("has everything that may be said of an endpoint, by the one spelling of its address", () => {
    expect(checkEndpoints([WHOLE, "B:2", { address: "[0:0::1]:3", weight: 1_000_000 }])).toEqual([
      WHOLE,
      { address: "b:2" },
      { address: "[::1]:3", weight: 1_000_000 },
    ]);
  });

  it("is a copy, which nobody changes later", () => {
    const given = { address: "a:1", metadata: { version: "3" } };
    const [endpoint] = checkEndpoints([given]);
    given.metadata.version = "4";

    expect(endpoint?.metadata).toEqual({ version: "3" });
  });

  it.each<[unknown, string]>([
    [{ weight: 0 }, "weight is 0; allowed: more than 0"],
    [{ weight: -1 }, "weight is -1; allowed: more than 0"],
    [{ weight: Number.NaN }, "weight is NaN; allowed: a value of type number"],
    [{ weight: Number.POSITIVE_INFINITY }, "weight is Infinity; allowed: a value of type number"],
    [{ weight: 1_000_001 }, "weight is 1000001; allowed: 1000000 or less"],
    [{ weight: "5" }, 'weight is "5"; allowed: a value of type number'],
    [{ weight: null }, "weight is null; allowed: a value of type number"],
    [{ priority: -1 }, "priority is -1; allowed: 0 or more"],
    [{ priority: 0.5 }, "priority is 0.5; allowed: a value of type int"],
    [{ zone: "" }, 'zone is ""; allowed: a length of 1 or more'],
    [{ zone: 5 }, "zone is 5; allowed: a value of type string"],
    [{ hashKey: "" }, 'hashKey is ""; allowed: a length of 1 or more'],
    [{ hashKey: 7 }, "hashKey is 7; allowed: a value of type string"],
    [{ metadata: "v3" }, 'metadata is "v3"; allowed: a value of type object'],
    [{ metadata: { version: 3 } }, "metadata.version is 3; allowed: a value of type string"],
    [{ serverName: "" }, 'serverName is ""; allowed: a length of 1 or more'],
    [{ wieght: 1 }, "wieght is not a known key (did you mean weight?)"],
    [{ zones: "a", zone: "a" }, "zones is not a known key (did you mean zone?)"],
  ])("is refused by place and address of the endpoint that is wrong: %j", (fields, sentence) => {
    const error = configErrorOf(() => checkEndpoints(["b:2", { address: "a:1", ...(fields as object) }]));

    expect(error.details).toBe(`updateEndpoints: 1 problem: endpoints.1, "a:1": ${sentence}`);
  });

  it.each<[unknown, string]>([
    [[null], "endpoints.0, null: the entry is null; allowed: a value of type object"],
    [[["a:1"]], "endpoints.0, an array: the entry is an array; allowed: a value of type object"],
    [[() => "a:1"], "endpoints.0, a function: the entry is a function"],
    [[Symbol("a:1")], "endpoints.0, Symbol(a:1): the entry is Symbol(a:1)"],
    [[{}], "endpoints.0, an object: address is undefined; allowed: a value of type string"],
    [[circle], 'endpoints.0, "a:1": metadata.metadata is an object; allowed: a value of type string'],
    [["x".repeat(9_999)], `endpoints.0, "${"x".repeat(80)}": the address`],
    ["a:1", 'the list is "a:1"; allowed: an array of addresses'],
    [circle, 'the list is "a:1"; allowed: an array of addresses'],
    [["A:1", "a:1"], 'endpoints.1, "a:1": a:1 is listed twice'],
  ])("is refused when it is none, whatever stands in it: case %#", (endpoints, sentence) => {
    const error = configErrorOf(() => checkEndpoints(endpoints));

    expect(error.reason).toBe("CONFIG_INVALID");
    expect(error.details).toContain(sentence);
  });

  it("is told all that is wrong in it at once", () => {
    const bad = { address: "a:1", weight: -1, zone: "", hashKey: 5 };

    expect(problemCount(configErrorOf(() => checkEndpoints([bad, "b", { ...bad, address: "c:1" }])))).toBe(7);
  });

  it("is read no further after a hundred mistakes, as a long one may be wrong as a whole", () => {
    const { endpoints, problems } = endpointProblems(Array.from({ length: 200_000 }, () => 5));

    expect(endpoints).toEqual([]);
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toBe("endpoints.100 and what follows, 199900 in all, were not read");
  });
});
