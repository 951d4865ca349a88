import type { Part } from "../options.js";
import { type Verdict, verdictLine } from "./verdict.js";

/** What one measurement gives: the same as a table and as data. */
export interface Section {
  readonly part: Part;
  readonly data: object;
  readonly table: string;
  readonly verdicts: readonly Verdict[];
}

/** The table, and its targets below it. */
export function sectionText({ table, verdicts }: Section): string {
  return [table, ...verdicts.map(verdictLine)].join("\n");
}

/** How many targets were met, and those that were not once more. */
export function summary(sections: readonly Section[]): string {
  const all = sections.flatMap(({ table, verdicts }) =>
    verdicts.map((verdict) => ({ verdict, where: table.split("\n")[0]?.replace(/ \(.*$/, "") ?? "" })),
  );
  if (all.length === 0) return "no targets for what was measured";
  const missed = all.filter(({ verdict }) => !verdict.isMet);
  const lines = missed.map(({ verdict, where }) => `  ${where}:${verdictLine(verdict).slice(1)}`);
  return [`${all.length - missed.length} of ${all.length} targets met`, ...lines].join("\n");
}
