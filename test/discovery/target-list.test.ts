import { describe, expect, it } from "vitest";
import { parseTargets } from "../../src/discovery/index.js";

function problemsOf(given: string | readonly unknown[]): readonly string[] {
  const parsed = parseTargets(given);
  return parsed.ok ? [] : parsed.problems;
}

describe("a target, or a list of them", () => {
  it.each<[string, string | string[], string, string[]]>([
    ["a text", "static:///B:1,a:2", "static:///b:1,a:2", ["static"]],
    ["a list of one", ["users:1"], "dns:///users:1", ["dns"]],
    [
      "several, in their order",
      ["users:1", "static:///a:1"],
      "dns:///users:1, static:///a:1",
      ["dns", "static"],
    ],
    ["a passthrough alone", "passthrough:///xds:///users", "passthrough:///xds:///users", ["passthrough"]],
  ])("is read from %s", (_what, given, canonical, schemes) => {
    const parsed = parseTargets(given);

    if (!parsed.ok) throw new Error(parsed.problems.join("; "));
    expect(parsed.canonical).toBe(canonical);
    expect(parsed.targets.map(({ scheme }) => scheme)).toEqual(schemes);
  });

  it.each<[string, readonly unknown[], readonly (string | RegExp)[]]>([
    ["is empty", [], ["the list of targets is empty; write one or more"]],
    [
      "names one twice, however it is spelt",
      ["static:///A:1", "b:1", "static:///a:1"],
      ["target 3 of the list: static:///a:1 is there twice"],
    ],
    [
      "holds something else",
      [7, null, undefined, {}],
      ["number", "null", "undefined", "object"].map(
        (kind, place) =>
          `target ${place + 1} of the list: it is ${kind}; allowed: a string such as dns:///host:port`,
      ),
    ],
    [
      "has a passthrough beside others",
      ["passthrough:///xds:///users", "b:1"],
      ["passthrough: stands alone, as grpc-js then chooses the servers; leave it or the others out"],
    ],
    [
      "has bad targets",
      ["xds:///a", "b:1", "static:///"],
      [/^target 1 of the list: .*"xds"/, /^target 3 of the list: /],
    ],
  ])("that %s is refused, and every problem told", (_what, given, problems) => {
    expect(problemsOf(given)).toEqual(
      problems.map((problem) => (problem instanceof RegExp ? expect.stringMatching(problem) : problem)),
    );
  });

  it("does not speak of a list where there is none", () => {
    expect(problemsOf("xds:///a")[0]).toMatch(/^the target "xds:\/\/\/a"/);
  });

  it("is not blamed for a passthrough that stands alone twice", () => {
    const twice = ["passthrough:///xds:///users", "passthrough:///xds:///users"];

    expect(problemsOf(twice)).toEqual(["target 2 of the list: passthrough:///xds:///users is there twice"]);
  });
});

describe("datacentres to fail over to", () => {
  const expanded = (...targets: string[]) => {
    const parsed = parseTargets(targets);
    return parsed.ok ? parsed.targets.map(({ canonical }) => canonical) : parsed.problems;
  };

  it("are targets of their own, in their order, behind the first and before the next target", () => {
    expect(expanded("consul://a:1/users?dc=x&failover=y,z", "static:///b:1")).toEqual([
      "consul://a:1/users?dc=x",
      "consul://a:1/users?dc=y",
      "consul://a:1/users?dc=z",
      "static:///b:1",
    ]);
  });

  it("are followed once, though they are written out as well", () => {
    expect(expanded("consul://a:1/users?dc=x&failover=y", "consul://a:1/users?dc=y")).toEqual([
      "consul://a:1/users?dc=x",
      "consul://a:1/users?dc=y",
    ]);
  });

  it("leave the channel its name as it was written", () => {
    expect(parseTargets("consul://a:1/users?dc=x&failover=y")).toMatchObject({
      canonical: "consul://a:1/users?dc=x&failover=y",
    });
  });
});
