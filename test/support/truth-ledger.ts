import type { FailureReport, Processed } from "holdfast";

/** How one call ended, as its caller was told, beside what really happened. */
export interface Verdict {
  /** Names the fault exactly enough to run it again. */
  readonly cell: string;
  /** The row of the table it counts in. */
  readonly group: string;
  readonly isIdempotent: boolean;
  /** What the caller was told; "ok" of a call that succeeded. */
  readonly told: "ok" | Processed;
  readonly report: Partial<FailureReport> & { readonly details?: string };
  /** How often the handler ran. */
  readonly ran: number;
  /** How often grpc-js opened a stream for it. */
  readonly opened: number;
  /** A server refused what it had run: no client can know. */
  readonly isLie?: boolean;
}

/** How the caller's word and the truth are counted, in the order of the table's columns. */
export const COLUMNS = [
  "ok",
  "no, did not run",
  "maybe, did not run",
  "maybe, ran",
  "yes, ran",
  "ran twice or more",
  "lies",
] as const;

/** What is wrong with a verdict; null when it is the truth, or cannot be known. */
export function contradiction(verdict: Verdict): string | null {
  const { told, ran, opened, isIdempotent, isLie } = verdict;
  if (isLie === true) return null;
  if (told === "no" && ran > 0) return `told "no", but the handler ran`;
  if (told === "yes" && ran === 0) return `told "yes", but the handler did not run`;
  if (told === "ok" && ran === 0) return "told ok, but the handler did not run";
  if (told !== "ok" && told !== "no" && opened === 0) return `told "${told}", but no stream was opened`;
  if (!isIdempotent && ran > 1) return `ran ${ran} times, and is not idempotent`;
  return null;
}

/** All verdicts of a matrix: what is wrong with them, and how many there are of each sort. */
export class Ledger {
  readonly verdicts: Verdict[] = [];

  add(verdict: Verdict): void {
    this.verdicts.push(verdict);
  }

  /** Takes in another matrix of the same table. */
  addAll(other: Ledger): void {
    this.verdicts.push(...other.verdicts);
  }

  /** One line per contradiction, with the exact cell and everything that was told. */
  get contradictions(): string[] {
    return this.verdicts.flatMap((verdict) => {
      const wrong = contradiction(verdict);
      if (wrong === null) return [];
      const { reason, details, attempts } = verdict.report;
      const trail = (attempts ?? []).map((attempt) => `${attempt.processed}: ${attempt.details}`).join(" | ");
      return [
        `${verdict.group}, ${verdict.cell}: ${wrong} (${verdict.opened} streams opened; ${reason}: ${details}; ${trail})`,
      ];
    });
  }

  count(column: (typeof COLUMNS)[number], group?: string): number {
    const counted = group === undefined ? this.verdicts : this.verdicts.filter((one) => one.group === group);
    return counted.filter((verdict) => isIn(column, verdict)).length;
  }

  /** The counts as a table in Markdown, a row per group. */
  get table(): string {
    const groups = [...new Set(this.verdicts.map(({ group }) => group))];
    const rows = groups.map((group) => [
      group,
      this.verdicts.filter((one) => one.group === group).length,
      ...COLUMNS.map((column) => this.count(column, group)),
    ]);
    const head = ["", "calls", ...COLUMNS];
    const lines = [head, head.map((_, index) => (index === 0 ? "---" : "---:")), ...rows];
    return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  }
}

function isIn(column: (typeof COLUMNS)[number], { told, ran, isLie }: Verdict): boolean {
  if (column === "lies") return isLie === true;
  if (isLie === true) return false;
  if (column === "ok") return told === "ok";
  if (column === "ran twice or more") return ran > 1;
  const [word, truth] = column.split(", ");
  return told === word && (truth === "ran") === ran > 0;
}
