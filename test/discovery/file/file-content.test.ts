import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endpointsIn } from "../../../src/discovery/file/file-content.js";

function read(text: string, path = "/e.yaml") {
  return endpointsIn(path, Buffer.from(text));
}

describe("the content of a file of endpoints", () => {
  it.each([
    ["a YAML list", "- a:1\n- address: b:2\n", "/e.yaml"],
    ["a JSON list", '["a:1", {"address": "b:2"}]', "/e.json"],
    ["an object with the list", "endpoints:\n  - a:1\n  - b:2\n", "/e.yml"],
    ["JSON in a file of another name", '{"endpoints": ["a:1", "b:2"]}', "/endpoints"],
    ["a list with anchors", "endpoints: [&first a:1, b:2]\n", "/e.YAML"],
  ])("may be %s", (_, text, path) => {
    expect(read(text, path)).toEqual({ endpoints: [{ address: "a:1" }, { address: "b:2" }], problems: [] });
  });

  it("keeps everything that an endpoint may have", () => {
    const endpoint = {
      address: "a:1",
      serverName: "a.example",
      isProxied: false,
      priority: 1,
      weight: 0.5,
      zone: "z",
      hashKey: "k",
      metadata: { build: "7" },
    };

    expect(read(JSON.stringify([endpoint])).endpoints).toEqual([endpoint]);
  });

  it.each([
    ['the list is "a:1"; allowed: an array of addresses', "a:1"],
    ["the list is null; allowed: an array of addresses", "# nothing but words"],
    ['the list is "b:1"; allowed: an array of addresses', "endpoints: b:1"],
    ["it has no key endpoints; allowed: a list, or endpoints with one", "endpoint: [a:1]"],
    ['"port" is not a known key; allowed: endpoints', "endpoints: [a:1]\nport: 2"],
    ['endpoints.1, "a:1": a:1 is listed twice', "[a:1, a:1]"],
    ["line 2, column 1: Map keys must be unique", "endpoints: [a:1]\nendpoints: [b:2]"],
    ["it has more than one document; allowed: one", "[a:1]\n---\n[b:2]"],
    ["line 1, column 3: Unresolved tag: tag:yaml.org,2002:date", "- !!date a:1"],
    ["it is no YAML: Unresolved alias (the anchor must be set before the alias): a", "- *a"],
    ["it is nested more than 32 levels deep", "[".repeat(50_000)],
    ["it is nested more than 32 levels deep", "- ".repeat(50_000)],
    ["it has a map with 1001 keys; allowed: 1000 or less", `{${Array(1_001).fill("a").join(",")}}`],
    [
      "it has 1048584 bytes of YAML; allowed: 1048576 or less, more as JSON",
      `# ${"x".repeat(1024 * 1024)}\n- a:1`,
    ],
  ])("says so: %s", (problem, text) => {
    expect(read(text).problems).toEqual([problem]);
  });

  it("says every problem of a list", () => {
    const { problems } = read("[a, b:2, {address: c:3, weight: 0}]");

    expect(problems).toHaveLength(2);
  });

  it("is read strictly where its name ends in .json", () => {
    expect(read("- a:1", "/e.json").problems[0]).toMatch(/^it is no JSON: /);
  });

  it("is not blown up by aliases of aliases", () => {
    const level = (name: string, of: string) => `${name}: &${name} [${Array(10).fill(`*${of}`).join(", ")}]`;
    const text = ["a: &a [x, x]", level("b", "a"), level("c", "b"), level("d", "c"), "endpoints: [*d]"].join(
      "\n",
    );

    expect(read(text).problems).toEqual([
      "it is no YAML: Excessive alias count indicates a resource exhaustion attack",
    ]);
  });

  it("never throws, whatever it is", () => {
    const snippets = fc.constantFrom(
      "- ",
      "a:1",
      "\n",
      "[",
      "]",
      "{",
      "}",
      ": ",
      "&a ",
      "*a",
      "? ",
      "!!x ",
      "|\n ",
      '"',
      "---\n",
    );
    const texts = fc.array(fc.oneof(snippets, fc.string()), { maxLength: 30 }).map((parts) => parts.join(""));

    fc.assert(
      fc.property(texts, fc.constantFrom("/e.yaml", "/e.json"), (text, path) => {
        const { endpoints, problems } = read(text, path);
        return Array.isArray(endpoints) && problems.every((problem) => typeof problem === "string");
      }),
      { numRuns: 300 },
    );
  });
});
