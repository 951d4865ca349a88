import { alignColumns } from "../../shared/align-columns.js";
import type { FaultKind } from "./fault-plan.js";
import type { LeftOut } from "./faults.js";

/** What the check of a history found. The counts are null when there were appends and none of their keys could be audited. */
export interface Verdict {
  /** Appends that were tried. */
  readonly appends: number;
  /** Acknowledged appends that no final value holds. */
  readonly lost: number | null;
  /** Appends that a final value holds more than once. */
  readonly duplicated: number | null;
  /** Appends that provably did not run, and that a final value holds. */
  readonly phantom: number | null;
  /** Appends that stand before an earlier one of the same session. */
  readonly reordered: number | null;
  /** Text in a final value that nobody appended. */
  readonly foreign: number | null;
  /** Keys with appends about which nothing above is known. */
  readonly unaudited: number;
  /** Keys that could not be read at the end. */
  readonly unread: number;
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
  /** Whether all nodes were there and had caught up after the load. */
  readonly whole: boolean;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestUnavailableMs: number;
  readonly keys: number;
  readonly checkMs: number;
}

/** What the exit code depends on. */
export type Outcome = Omit<Verdict, "appends" | "findings"> &
  Pick<Report, "acknowledged" | "whole" | "faultsLeftOut">;

/** 0 proven, 1 disproven, 2 undecided. What is disproven stays so, whatever else could not be decided. */
export function exitCodeOf(outcome: Outcome): 0 | 1 | 2 {
  const { lost, duplicated, phantom, reordered, foreign, linearizable } = outcome;
  const counts = [lost, duplicated, phantom, reordered, foreign];
  if (counts.some((count) => (count ?? 0) > 0) || linearizable === false) return 1;
  if (counts.includes(null) || outcome.unaudited > 0 || outcome.unread > 0 || linearizable === null) return 2;
  return gapsOf(outcome).length > 0 ? 2 : 0;
}

/** What was to be tested and was not, one sentence each. What a platform cannot do was never to be tested there. */
export function gapsOf({
  acknowledged,
  whole,
  faultsLeftOut,
}: Pick<Outcome, "acknowledged" | "whole" | "faultsLeftOut">): string[] {
  const missed = faultsLeftOut.filter(({ isByPlatform }) => !isByPlatform).map(({ kind }) => kind);
  return [
    ...(acknowledged === 0 ? ["no operation was acknowledged"] : []),
    ...(missed.length > 0 ? [`planned, but left out: ${missed.join(", ")}`] : []),
    ...(whole ? [] : ["the cluster was not whole at the end"]),
  ];
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
    ["lost", countText(report, report.lost, "acknowledged append", "lost")],
    ["duplicated", countText(report, report.duplicated, "append", "applied twice")],
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

function countText(report: Report, count: number | null, noun: string, verb: string): string {
  if (report.appends === 0) return "no appends in this workload";
  if (count === null) return "undecided";
  const text = `${count} ${noun}${count === 1 ? "" : "s"} ${verb}`;
  return report.unaudited === 0 ? text : `${text}, ${report.unaudited} keys unknown`;
}
