import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { COLUMNS, type Ledger } from "./truth-ledger.js";

type Column = "calls" | (typeof COLUMNS)[number];

/** The page that tells users what `processed` is worth. */
export const truthDocument = readFileSync(new URL("../../docs/outcome-truth.md", import.meta.url), "utf8");

/** The documented numbers of one row, by column; null where there is no such row. */
export function documentedRow(group: string): Readonly<Record<Column, number>> | null {
  const line = truthDocument.split("\n").find((one) => one.startsWith(`| ${group} |`));
  if (line === undefined) return null;
  const numbers = line.split("|").slice(2, -1).map(Number);
  const columns: readonly Column[] = ["calls", ...COLUMNS];
  return Object.fromEntries(columns.map((column, index) => [column, numbers[index]])) as Record<
    Column,
    number
  >;
}

/** These columns do not depend on chance: the page must say the same of them. */
export function expectDocumented(ledger: Ledger, columns: readonly Column[]): void {
  const groups = [...new Set(ledger.verdicts.map(({ group }) => group))];
  const pick = (row: Readonly<Record<Column, number>> | null) => columns.map((column) => row?.[column]);
  const counted = groups.map((group) => [group, ...pick(rowOf(ledger, group))]);
  expect(groups.map((group) => [group, ...pick(documentedRow(group))])).toEqual(counted);
}

function rowOf(ledger: Ledger, group: string): Record<Column, number> {
  const calls = ledger.verdicts.filter((verdict) => verdict.group === group).length;
  const counts = COLUMNS.map((column) => [column, ledger.count(column, group)]);
  return { calls, ...Object.fromEntries(counts) } as Record<Column, number>;
}
