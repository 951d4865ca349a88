import { alignColumns } from "../../examples/shared/align-columns.js";
import { atLeast, atMost, type Verdict } from "../report/verdict.js";
import type { ChangesResult } from "./changes.js";
import type { OutageResult } from "./outages.js";

/** A new set is to be in use within a second of Consul's answer. */
const IN_USE_MS = 1_000;
/** The backoff's end, with its jitter. */
const LONGEST_BACK_MS = 36_000;

const CHANGE_HEADS = ["", "calls", "failed", "joined", "used ms", "left", "gone ms"];

export function changesTable(result: ChangesResult): string {
  const { seconds, mostLateMs, questionsPerSecond, questionsFailed, held, p99Ms, failures } = result;
  const rows = result.changes.map(({ title, calls, failed, joined, usedMs, left, goneMs }) => [
    title,
    ...[calls, failed, joined].map(String),
    rounded(usedMs),
    String(left),
    rounded(goneMs),
  ]);
  return [
    `Changes through a real Consul (${seconds.toFixed(0)} s, 200 calls per second, none of which may be repeated)`,
    alignColumns([CHANGE_HEADS, ...rows]),
    ...failuresLine(failures),
    `p99 of all calls ${p99Ms.toFixed(0)} ms; ${questionsPerSecond.toFixed(2)} questions to Consul per second, ${questionsFailed} failed; ${held} losses held back; late ${mostLateMs.toFixed(0)} ms`,
    `"used": from Consul's answer to the first call, the slowest of those that joined; "gone": from Consul's answer until the last
of those that left was no endpoint any more; "late": the longest that the bench itself was held up.`,
  ].join("\n");
}

export function changesVerdicts(result: ChangesResult): Verdict[] {
  const { changes, failed, strayCalls, untaggedCalls, weightRatio, questionsPerSecond } = result;
  return [
    atMost("failed calls", failed, 0),
    atMost(
      "ms from Consul's answer to the first call",
      worst(changes.map(({ usedMs }) => usedMs)),
      IN_USE_MS,
    ),
    atMost(
      "ms from Consul's answer to the end of use",
      worst(changes.map(({ goneMs }) => goneMs)),
      IN_USE_MS,
    ),
    atMost("calls at removed servers", strayCalls, 0),
    atMost("calls at servers of another tag", untaggedCalls, 0),
    atLeast("calls of weight 8 to those of weight 1", weightRatio, 7),
    atMost("questions to Consul per second", questionsPerSecond, 1),
  ];
}

const OUTAGE_HEADS = [
  "",
  "seconds",
  "calls",
  "failed",
  "stale ms",
  "questions",
  "back ms",
  "used ms",
  "late ms",
];

export function outagesTable(results: readonly OutageResult[]): string {
  const rows = results.map((result) => [
    result.title,
    result.seconds.toFixed(1),
    String(result.calls),
    String(result.failed),
    rounded(result.staleMs),
    String(result.questions),
    rounded(result.backMs),
    rounded(result.usedMs),
    rounded(result.mostLateMs),
  ]);
  return [
    "Outages of a real Consul (200 calls per second, none of which may be repeated)",
    alignColumns([OUTAGE_HEADS, ...rows]),
    ...results.flatMap(({ failures }) => failuresLine(failures)),
    `"stale": until stats() told it; "-" where Consul was back before that. "questions": put to Consul while it was away. "back":
from its end to the next answer; "used": from Consul's answer to the first call of a server added afterwards.`,
  ].join("\n");
}

export function outageVerdicts({
  title,
  seconds,
  failed,
  questions,
  backMs,
  usedMs,
}: OutageResult): Verdict[] {
  return [
    atMost(`${title}: failed calls`, failed, 0),
    atMost(`${title}: questions per second meanwhile`, questions / seconds, 1),
    atMost(`${title}: ms until Consul is heard again`, backMs, LONGEST_BACK_MS),
    atMost(`${title}: ms from its answer to the first call of a new server`, usedMs, IN_USE_MS),
  ];
}

function failuresLine(failures: Readonly<Record<string, number>>): string[] {
  const counted = Object.entries(failures).map(([failure, count]) => `${count} ${failure}`);
  return counted.length === 0 ? [] : [`failed calls: ${counted.join(", ")}`];
}

/** NaN where one is: what was not measured is not met. */
function worst(all: readonly (number | null)[]): number {
  return Math.max(...all.filter((ms) => ms !== null));
}

function rounded(ms: number | null): string {
  return ms === null ? "-" : Number.isNaN(ms) ? "never" : ms.toFixed(0);
}
