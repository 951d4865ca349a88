import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonMistake } from "../../src/config/json-mistake.js";
import { parseText } from "../../src/config/parse-text.js";

function problemsOf(text: string, language: "yaml" | "json" = "yaml"): readonly string[] {
  const parsed = parseText(text, language);
  if (parsed.ok) throw new Error(`accepted: ${JSON.stringify(parsed.value)}`);
  return parsed.problems;
}

function readValue(text: string, language: "yaml" | "json" = "yaml"): unknown {
  const parsed = parseText(text, language);
  if (!parsed.ok) throw new Error(parsed.problems.join("; "));
  return parsed.value;
}

describe("a text that is right", () => {
  it.each<[string, string, unknown]>([
    ["YAML", "a:\n  b: [1, x]\n", { a: { b: [1, "x"] } }],
    ["JSON read as YAML", '{\n\t"a": {"b": [1, "x\\/\\u00e9"]}\n}', { a: { b: [1, "x/é"] } }],
    ["an anchor that is used twice", "a: &n {x: 1}\nb: *n\nc: *n", { a: { x: 1 }, b: { x: 1 }, c: { x: 1 } }],
    [
      "a merge, whose own keys win",
      "a: &n {x: 1, y: 1}\nb: {<<: *n, y: 2}",
      { a: { x: 1, y: 1 }, b: { x: 1, y: 2 } },
    ],
    [
      "several merges",
      "a: &n {x: 1}\nb: &m {y: 1}\nc:\n  <<: *n\n  <<: *m",
      { a: { x: 1 }, b: { y: 1 }, c: { x: 1, y: 1 } },
    ],
    ["what looks like a variable", "a: $HOME\nb: x$HOME", { a: "$HOME", b: "x$HOME" }],
  ])("is read: %s", (_what, text, value) => {
    expect(readValue(text)).toEqual(value);
  });

  it("is read the same as JSON alone", () => {
    expect(readValue('{"a": {"b": [1, null, "x"]}}', "json")).toEqual({ a: { b: [1, null, "x"] } });
  });
});

describe("a mistake in YAML", () => {
  it.each<[string, string, string[]]>([
    [
      "a key twice",
      "a: 1\nb: 2\na: 3",
      ['line 3, column 1: the key "a" is there already (line 1, column 1)'],
    ],
    [
      "a key twice, once quoted",
      'x: {1: a, "1": b}',
      ['line 1, column 11: the key "1" is there already (line 1, column 5)'],
    ],
    ["a tab as indentation", "a:\n\tb: 1", ["line 2, column 1: Tabs are not allowed as indentation"]],
    [
      "a nested map in one line",
      "a: b: c",
      ["line 1, column 4: Nested mappings are not allowed in compact mappings"],
    ],
    [
      "an alias without an anchor",
      "a: *later\nb: &later 1",
      ["line 1, column 4: the alias *later has no anchor before it"],
    ],
    ["an unknown tag", "a: !env HOME", ["line 1, column 4: Unresolved tag: !env"]],
    ["a second document", "a: 1\n---\nb: 2", ["line 2, column 1: a second document begins; allowed: one"]],
    ["a merge of what is no map", "a:\n  <<: 3", ["Merge sources must be maps or map aliases"]],
  ])("is named with line and column: %s", (_what, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  it("does not hide the others", () => {
    expect(problemsOf("a: !x 1\na: *nope\nb: {c: 1, c: 2}")).toEqual([
      "line 1, column 4: Unresolved tag: !x",
      'line 2, column 1: the key "a" is there already (line 1, column 1)',
      'line 3, column 11: the key "c" is there already (line 3, column 5)',
      "line 2, column 4: the alias *nope has no anchor before it",
    ]);
  });
});

describe("a mistake in JSON", () => {
  it.each<[string, string, RegExp]>([
    ["a missing colon", '{"a": 1,\n "b" 2}', /^line 2, column 6: expected a colon after the key$/],
    [
      "a comma at the end",
      '{"a": 1,}',
      /^line 1, column 9: expected a key.*; is a comma too many before it\?$/,
    ],
    ["a comma at the end of a list", "[1,\n]", /^line 2, column 1: expected a value; is a comma too many/],
    ["an end too early", '{"a": [1,\n', /^line 2, column 1: the text ends here; expected a value$/],
    ["an open text", '{"a', /^line 1, column 4: the text ends here; a text has no closing double quote$/],
    ["YAML", "a: 1", /^line 1, column 1: expected a value$/],
    ["Python", '{\n  "a": True\n}', /^line 2, column 8: expected a value$/],
    ["a comment", "{\n  // mine\n}", /^line 2, column 3: expected a key.*; JSON has no comments$/],
    ["single quotes", "{'a': 1}", /^line 1, column 2: expected a key.*; JSON takes no single quotes$/],
    ["a missing comma", '{"a": 1 "b": 2}', /^line 1, column 9: expected a comma or }$/],
    ["a wrong bracket", "[1}", /^line 1, column 3: expected a comma or ]$/],
    ["more after the end", "{} x", /^line 1, column 4: nothing may follow$/],
    ["a line break in a text", '{"a": "b\nc"}', /^line 1, column 9: a line break or another control/],
    [
      "an escape of another language",
      '{"a": "\\x41"}',
      /^line 1, column 8: an escape that JSON does not have$/,
    ],
    [
      "a key twice",
      '{"a": {"x": 1, "x": 2}}',
      /^line 1, column 16: the key "x" is there already \(line 1, column 8\)$/,
    ],
  ])("is named with where it is: %s", (_what, text, problem) => {
    const problems = problemsOf(text, "json");

    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });
});

describe("what is wrong with JSON", () => {
  const valid = fc.json({ maxDepth: 3 });
  const damaged = fc
    .tuple(
      valid,
      fc.nat(),
      fc.nat(3),
      fc.constantFrom("", ",", "}", "]", '"', "\\", "0", "-", "e", ".", "\n", "tru"),
    )
    .map(
      ([text, at, cut, put]) =>
        `${text.slice(0, at % (text.length + 1))}${put}${text.slice((at % (text.length + 1)) + cut)}`,
    );

  it("is found exactly where the language is left, and only then", () => {
    fc.assert(
      fc.property(fc.oneof(valid, damaged, fc.string()), (text) => {
        const mistake = jsonMistake(text);

        expect(mistake === null).toBe(isJson(text));
        if (mistake !== null) expect(mistake.offset).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 3_000 },
    );
  });

  it("is told without a word of the text around it", () => {
    const text = '{"password": "hunter2secret", "next": hunter2secret}';

    expect(problemsOf(text, "json")).toEqual(["line 1, column 39: expected a value"]);
  });

  it("is found in a text as long as a file may be", () => {
    const text = `["${"x\\n".repeat(300_000)}", ${"1".repeat(100_000)}`;

    expect(jsonMistake(text)).toMatchObject({ offset: text.length });
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("a text without anything", () => {
  it.each(["", " \n", "# only a comment\n", "---\n", "null", "~", '""'])("is called empty: %j", (text) => {
    expect(problemsOf(text)).toEqual(["is empty; allowed: channels, clerks, raftPeers"]);
  });

  it("is called empty as JSON", () => {
    expect(problemsOf("\n", "json")).toEqual(["is empty; allowed: channels, clerks, raftPeers"]);
  });
});

describe("a bomb", () => {
  it("of aliases of aliases is refused before it grows", () => {
    const level = (n: number) =>
      `a${n}: &a${n} [${Array(9)
        .fill(`*a${n - 1}`)
        .join(", ")}]\n`;
    const text = `a0: &a0 [x]\n${[1, 2, 3, 4, 5, 6, 7, 8, 9].map(level).join("")}`;

    expect(problemsOf(text)).toEqual(["Excessive alias count indicates a resource exhaustion attack"]);
  });

  it("of many aliases is refused with their number", () => {
    const text = `a: &a 1\nb: [${Array(101).fill("*a").join(", ")}]`;

    expect(problemsOf(text)).toEqual(["has 101 aliases; allowed: 100 or less"]);
  });

  it.each(["[", '{"a":', "- ", "? "])("of depth is refused: %j", (opening) => {
    expect(problemsOf(opening.repeat(50_000))).toEqual(["is nested more than 64 levels deep"]);
  });

  it("of JSON's depth is refused", () => {
    expect(problemsOf(`${"[".repeat(50_000)}${"]".repeat(50_000)}`, "json")).toEqual([
      "is nested more than 64 levels deep",
    ]);
  });

  it("of many keys is read in one pass", () => {
    const keys = Array.from({ length: 30_000 }, (_, index) => `k${index}: 1`);

    expect(Object.keys(readValue(keys.join("\n")) as object)).toHaveLength(30_000);
  });
});
