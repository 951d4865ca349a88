import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import {
  DIFFERENCE_IDS,
  type Difference,
  DOOR_IDS,
  differences,
  renderDifferences,
  verdictOf,
} from "../support/door-differences.js";
import { renderKinds } from "../support/door-kinds.js";
import { probes } from "../support/door-probes/index.js";

const path = fileURLToPath(new URL("../../docs/doors.md", import.meta.url));

/** What stands between two marks of the page, replaced. */
function withTable(page: string, name: string, table: string): string {
  const [begin, end] = [`<!-- ${name}: `, `<!-- /${name} -->`];
  const from = page.indexOf("\n", page.indexOf(begin)) + 1;
  const to = page.indexOf(end);
  if (!page.includes(begin) || to < from) throw new Error(`docs/doors.md has no place for ${name}`);
  return `${page.slice(0, from)}\n${table}\n\n${page.slice(to)}`;
}

it("docs/doors.md shows the tables that the tests assert (else: vitest run <this file> -u)", async () => {
  const page = readFileSync(path, "utf8");

  const expected = withTable(withTable(page, "differences", renderDifferences()), "kinds", renderKinds());

  await expect(expected).toMatchFileSnapshot(path);
});

it("every row of the table is asserted by calls, and every limit explained", () => {
  const rows = DIFFERENCE_IDS.map((id) => ({ id, row: differences[id] as Difference }));
  const unexplained = rows.filter(
    ({ id, row }) => row.note === undefined && DOOR_IDS.some((door) => verdictOf(id, door) === "limited"),
  );

  expect(Object.keys(probes).sort()).toEqual([...DIFFERENCE_IDS].sort());
  expect(unexplained).toEqual([]);
});
