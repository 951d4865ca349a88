import { alignColumns } from "../../examples/shared/align-columns.js";
import { atMost, below, type Verdict } from "../report/verdict.js";
import type { FaultTargets } from "./fault-kinds.js";
import type { ClientResult, FaultResult } from "./run-fault.js";

const BARE_HEADS = ["bare: failed", "p99 ms", "there", "back ms"];
const OUR_HEADS = ["ours: failed", "p99 ms", "there", "known ms", "and then", "back ms"];
const HEADS = ["", "calls", ...BARE_HEADS, ...OUR_HEADS, "late ms"];

export function faultTable(results: readonly FaultResult[]): string {
  return [
    "Faults (one of three servers for 6 s, next to bare round_robin; 100 idempotent calls per second each, deadline 2 s)",
    alignColumns([HEADS, ...results.map(row)]),
    ...results.flatMap(failuresLine),
    `"there": bare calls, and attempts of ours, that went to the broken server meanwhile; "known": how long until ours took it out
of use; "and then": attempts that went there later on, also when it was up in between. "back": from the end of the fault (idle:
from the first call) to the first answer. p99 is of calls begun meanwhile. Ours has attemptTimeoutMs 250, no keepalive, and
all else as by default. "late": the longest that the bench itself was held up; near 250 ms, attempts end through no fault of a server.`,
  ].join("\n");
}

export function faultVerdicts({ title, ours }: FaultResult, targets: FaultTargets): Verdict[] {
  const { failed, p99Ms, afterDetection, recoveryMs } = targets;
  return [
    ...(failed === undefined ? [] : [atMost(`${title}: failed calls of ours`, ours.failed, failed)]),
    ...(p99Ms === undefined ? [] : [below(`${title}: p99 ms of ours during the fault`, ours.p99Ms, p99Ms)]),
    ...(afterDetection === undefined
      ? []
      : [atMost(`${title}: attempts there once known`, knownFirst(ours), afterDetection)]),
    ...(recoveryMs === undefined
      ? []
      : [below(`${title}: ms until ours is answered again`, ours.recoveryMs, recoveryMs)]),
  ];
}

/** A fault that nobody noticed proves nothing. */
function knownFirst({ detectedMs, afterDetection }: FaultResult["ours"]): number {
  return detectedMs === null ? Number.NaN : afterDetection;
}

function failuresLine({ title, ours: { failures } }: FaultResult): string[] {
  const counted = Object.entries(failures).map(([failure, count]) => `${count} ${failure}`);
  return counted.length === 0 ? [] : [`failed calls of ours, ${title}: ${counted.join(", ")}`];
}

function row({ title, isTotal, bare, ours, mostLateMs }: FaultResult): string[] {
  // Where all are broken no one of them tells anything; where one is, another one answers at once.
  const ofOne = (value: number | null) => (isTotal || value === null ? "-" : value.toFixed(0));
  const ofAll = (ms: number) => (isTotal ? shown(ms) : "-");
  const common = ({ failed, p99Ms, toBroken }: ClientResult) => [
    String(failed),
    p99Ms.toFixed(0),
    ofOne(toBroken),
  ];
  return [
    title,
    String(ours.calls),
    ...common(bare),
    ofAll(bare.recoveryMs),
    ...common(ours),
    ofOne(ours.detectedMs),
    ofOne(ours.afterDetection),
    ofAll(ours.recoveryMs),
    mostLateMs.toFixed(0),
  ];
}

function shown(ms: number): string {
  return Number.isNaN(ms) ? "never" : ms.toFixed(0);
}
