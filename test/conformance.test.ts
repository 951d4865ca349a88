import { describe, expect, it } from "vitest";
import {
  type ConformanceNotes,
  problemsOf,
  type RuleTitle,
  readNotes,
  readPage,
  readTitles,
  renderPage,
  titlesIn,
} from "../scripts/conformance.mjs";

const notes = readNotes();
const titles = readTitles();

describe("the conformance page", () => {
  it("is what the titles of the tests say (else: npm run conformance)", () => {
    expect(readPage()).toBe(renderPage(notes, titles));
  });

  it("has a test or a reason for every rule, and knows every rule that a title names", () => {
    expect(problemsOf(notes, titles)).toEqual([]);
  });

  it("covers all of retries, hedging, deadlines, connections, load balancing, status codes, and living with grpc-js", () => {
    const rules = notes.sections.flatMap((section) => Object.keys(section.rules));

    expect(rules).toEqual([...range(1, 137), ...range(162, 179)]);
  });
});

describe("titles that name rules", () => {
  it("are found in all ways to declare a test, at either end, with what is filled in later", () => {
    const source = `
      const named = "is named by a constant (R4)";
      it("R1, C26: begins with it", () => {});
      test.each([1, 2])("takes %d (R2, R3)", (n: number) => {});
      it.skipIf(process.platform === "win32")(named, () => {});
      it.each\`a\`(\`fills \${what} in (R5)\`, () => {});
      it("names a row only: C26", () => {});
      expect("R9 is text").toBe(other("R10"));
    `;

    const found = titlesIn("test/a.test.ts", source);

    expect(found.map(({ title, rules }) => [title, rules])).toEqual([
      ["R1, C26: begins with it", [1]],
      ["takes %d (R2, R3)", [2, 3]],
      ["is named by a constant (R4)", [4]],
      ["fills … in (R5)", [5]],
    ]);
  });

  it("of a suite hold for the tests in it", () => {
    const source = `describe.each([1])("R7: all of them", () => { it("one", f); it.each([2])("%d", f); });`;

    expect(titlesIn("test/a.test.ts", source)).toMatchObject([{ rules: [7], isSuite: true, tests: 2 }]);
  });
});

describe("what is told of rules and titles", () => {
  it("is a rule that nobody proves, and a reason that a test contradicts", () => {
    const found = problemsOf(made({ R1: "one", R2: { says: "two", reason: "none" } }), [title(2)]);

    expect(found).toEqual([
      "R1 has neither a test nor a reason in docs/conformance-notes.yaml",
      "R2 has tests and a reason for having none in docs/conformance-notes.yaml",
    ]);
  });

  it("is a title that names what is no rule, but not one that names a rule of another part", () => {
    expect(problemsOf(made({}), [title(57), title(62)])).toEqual([
      'test/a.test.ts: "a title" names R62, which is no rule',
    ]);
  });

  it("is a suite that names a rule and has no test", () => {
    expect(problemsOf(made({ R1: "one" }), [{ ...title(1), isSuite: true, tests: 0 }])).toEqual([
      'test/a.test.ts: "a title" names a rule and has no test',
    ]);
  });
});

it("the page shows titles as sentences, with links, and marks that mean something to Markdown as they are", () => {
  const page = renderPage(made({ R1: { says: "one", note: "more" }, R2: { says: "two", reason: "none" } }), [
    { ...title(1), title: "R1, C26: keeps a_b | c (R1)" },
    { ...title(1), title: "all of it (R1)", isSuite: true, tests: 3 },
  ]);

  expect(page).toContain(
    "| R1 | one *Here:* more | [keeps a\\_b \\| c](../test/a.test.ts)<br>[all of it](../test/a.test.ts) (3 tests) |",
  );
  expect(page).toContain("| R2 | two | none |");
  expect(page).toContain("Rules with a test: 1 of 2, in 4 tests ");
});

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => `R${from + index}`);
}

function made(rules: ConformanceNotes["sections"][number]["rules"]): ConformanceNotes {
  const elsewhere = { title: "Others", says: "Later.", from: 57, to: 61 };
  return { sections: [{ title: "Made up", rules }], elsewhere };
}

function title(rule: number): RuleTitle {
  return { path: "test/a.test.ts", title: "a title", rules: [rule], isSuite: false, tests: 1 };
}
