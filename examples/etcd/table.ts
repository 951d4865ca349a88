import { alignColumns } from "../shared/align-columns.js";
import type { Report } from "./run.js";
import type { Method, MethodReport, SideName } from "./tally.js";

const SIDES: readonly SideName[] = ["holdfast", "bare"];
const METHODS: readonly Method[] = ["Range", "Put"];
const HEADER = ["", "calls", "ok", "failed", "longest gap", "p50", "p99", "failed by code", "processed"];
const FIRST_TEXT_COLUMN = HEADER.indexOf("failed by code");

/** The comparison at the end, with what its columns mean. */
export function formatTable(report: Report): string {
  const rows = METHODS.flatMap((method) =>
    SIDES.map((side) => row(method, side, report.sides[side][method])),
  );
  return [
    alignColumns([HEADER, ...rows], FIRST_TEXT_COLUMN),
    "",
    "longest gap: ms between two successes; p50 and p99: ms of all calls, failed ones too;",
    "processed: may the server have run the failed call? Bare grpc-js does not say.",
  ].join("\n");
}

/** The sentence that the exit code stands for. */
export function formatVerdict(report: Report): string {
  const { failedTotal, calls } = report.sides.holdfast.Range;
  const verdict =
    failedTotal === 0 && calls > 0 ? "No Range failed" : `${failedTotal} of ${calls} Ranges failed`;
  return `${verdict} on Holdfast's side; bare grpc-js failed ${report.sides.bare.Range.failedTotal}.`;
}

/** True when the hardened side did what it is there for: it answered every idempotent call. */
export function hasPassed(report: Report): boolean {
  const { failedTotal, ok } = report.sides.holdfast.Range;
  return failedTotal === 0 && ok > 0;
}

function row(method: Method, side: SideName, report: MethodReport): string[] {
  const numbers = [
    report.calls,
    report.ok,
    report.failedTotal,
    report.longestGapMs,
    report.p50Ms,
    report.p99Ms,
  ];
  return [`${method} ${side}`, ...numbers.map(String), counts(report.failed), processed(side, report)];
}

function processed(side: SideName, report: MethodReport): string {
  if (report.failedTotal === 0) return "-";
  const { unsaid, ...said } = report.failedProcessed;
  return side === "bare" ? "not said" : counts(unsaid === 0 ? said : report.failedProcessed);
}

function counts(by: Readonly<Record<string, number>>): string {
  const parts = Object.entries(by).filter(([, count]) => count > 0);
  return parts.length === 0 ? "-" : parts.map(([name, count]) => `${name} ${count}`).join(", ");
}
