import { alignColumns } from "../../shared/align-columns.js";
import type { FaultKind } from "./fault-plan.js";
import type { LeftOut } from "./faults.js";

/** What the check of a history found. */
export interface Verdict {
  /** Acknowledged appends that no final value holds; null when the final values could not be read. */
  readonly lost: number | null;
  /** Appends that a final value holds more than once; null as above. */
  readonly duplicated: number | null;
  /** Null when it could not be decided. */
  readonly linearizable: boolean | null;
  /** What was wrong, or why it was not decided: one sentence each. */
  readonly findings: readonly string[];
}

/** A fault with what it cost. */
export interface FaultReport {
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly endedAtMs: number;
  /** The longest time without an acknowledged operation from the fault to the next one, or to the end of the load. */
  readonly unavailableMs: number;
}

/** What `--json` prints. */
export interface Report extends Verdict {
  readonly seed: number;
  readonly nodes: number;
  readonly sessions: number;
  /** How long the load ran; longer than asked for when the last fault was not over. */
  readonly seconds: number;
  readonly heartbeatMs: number;
  readonly electionTimeoutMs: readonly [number, number];
  readonly operations: number;
  readonly acknowledged: number;
  readonly operationsPerSecond: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly retries: number;
  readonly probes: number;
  readonly leaderChanges: number;
  readonly faults: readonly FaultReport[];
  readonly faultsLeftOut: readonly LeftOut[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestUnavailableMs: number;
  readonly keys: number;
  readonly checkMs: number;
}

/** 0 proven, 1 disproven, 2 undecided. What is disproven stays so, whatever else could not be decided. */
export function exitCodeOf({ lost, duplicated, linearizable }: Verdict): 0 | 1 | 2 {
  if ((lost ?? 0) > 0 || (duplicated ?? 0) > 0 || linearizable === false) return 1;
  return lost === null || duplicated === null || linearizable === null ? 2 : 0;
}

/** The report for people. */
export function formatReport(report: Report): string {
  const failed = Object.entries(report.failed).map(([reason, count]) => `${count} ${reason}`);
  const rows = [
    [
      "operations",
      `${report.operations} in ${report.seconds} s, ${report.acknowledged} acknowledged, ${report.operationsPerSecond} per s`,
    ],
    ["failed", failed.length === 0 ? "none" : failed.join(", ")],
    ["retries", `${report.retries}, and ${report.probes} GetStatus probes for the leader`],
    ["latency", `p50 ${report.p50Ms} ms, p99 ${report.p99Ms} ms`],
    [
      "unavailable",
      `${report.longestUnavailableMs} ms at the longest, elections of ${report.electionTimeoutMs.join(" to ")} ms included`,
    ],
    ["lost", countText(report.lost, "acknowledged append", "lost")],
    ["duplicated", countText(report.duplicated, "append", "applied twice")],
    ["linearizable", { true: "yes", false: "NO", null: "undecided" }[String(report.linearizable)]!],
  ];
  return [
    alignColumns(rows, 1),
    "",
    formatFaults(report),
    ...report.findings.map((finding) => `  ${finding}`),
  ]
    .join("\n")
    .trimEnd();
}

function formatFaults({ faults, faultsLeftOut }: Report): string {
  const rows = faults.map(({ kind, atMs, endedAtMs, unavailableMs }) => [
    kind,
    (atMs / 1_000).toFixed(1),
    ((endedAtMs - atMs) / 1_000).toFixed(1),
    String(unavailableMs),
  ]);
  const table =
    rows.length === 0
      ? "no faults"
      : alignColumns([["fault of the leader", "at s", "for s", "unavailable ms"], ...rows]);
  return [table, ...faultsLeftOut.map(({ kind, why }) => `left out: ${kind}, because ${why}`), ""].join("\n");
}

function countText(count: number | null, noun: string, verb: string): string {
  if (count === null) return "undecided";
  return `${count} ${noun}${count === 1 ? "" : "s"} ${verb}`;
}
