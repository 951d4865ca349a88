import { alignColumns } from "../../examples/shared/align-columns.js";
import type { ThroughputResult } from "./throughput.js";
import type { ClientSummary, KindSummary, Spread, Verdict } from "./verdicts.js";

const THROUGHPUT_HEADS = ["", "operations/s", "p50 ms", "p99 ms", "ratio", "quartiles"];
const OUTAGE_HEADS = ["", "median worker ms", "worst worker ms", "commands", "probes"];

/** Both clients with so many sessions. */
export function throughputTable({ sessions, slices, rows }: ThroughputResult): string {
  const noun = sessions === 1 ? "session" : "sessions";
  const cells = rows.map(({ client, operationsPerSecond, p50Ms, p99Ms, ratio }) => [
    client,
    operationsPerSecond.toFixed(0),
    p50Ms.toFixed(2),
    p99Ms.toFixed(2),
    ratio.median.toFixed(2),
    `${ratio.low.toFixed(2)}-${ratio.high.toFixed(2)}`,
  ]);
  return `Without faults, ${sessions} ${noun} (${slices} slices of 1 s each)\n${alignColumns([THROUGHPUT_HEADS, ...cells])}`;
}

/** Both clients over all outages of one kind, and the targets. */
export function outageTable(summary: KindSummary): string {
  const { kind, outages, electionMs, errorMs, clerk, plain, verdicts } = summary;
  const head = `${kind} of the leader, ${outages} times; election ${shown(electionMs)} ms, known to +-${errorMs.toFixed(0)} ms`;
  const rows = [OUTAGE_HEADS, clientRow("plain", plain), clientRow("Clerk", clerk)];
  return [head, alignColumns(rows), ...verdicts.map(verdictLine)].join("\n");
}

export function verdictLine({ measure, relation, value, limit, isMet }: Verdict): string {
  const [name, text] =
    relation === "ratio"
      ? ["Clerk to plain", `${value.toFixed(2)}, target at most ${limit}`]
      : ["Clerk minus plain", `${value.toFixed(0)} ms, target at most ${limit} ms`];
  return `  ${measure}: ${name} ${text}: ${isMet ? "met" : "MISSED"}`;
}

function clientRow(
  name: string,
  { medianWorkerMs, worstWorkerMs, commands, probes }: ClientSummary,
): string[] {
  return [name, shown(medianWorkerMs), shown(worstWorkerMs), shown(commands), shown(probes)];
}

function shown({ median, min, max }: Spread): string {
  return `${median.toFixed(0)} (${min.toFixed(0)}..${max.toFixed(0)})`;
}
