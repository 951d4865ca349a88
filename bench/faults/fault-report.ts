import { alignColumns } from "../../examples/shared/align-columns.js";
import { atMost, below, type Verdict } from "../report/verdict.js";
import type { FaultTargets } from "./fault-kinds.js";
import type { FaultResult } from "./run-fault.js";

const HEADS = [
  "",
  "calls",
  "bare failed",
  "p99 ms",
  "to broken",
  "recovery ms",
  "ours failed",
  "p99 ms",
  "to broken",
  "known after ms",
  "then there",
  "recovery ms",
];

export function faultTable(results: readonly FaultResult[]): string {
  return [
    "One of three servers breaks for 6 s, next to bare round_robin: 100 idempotent calls per second each, deadline 2 s",
    alignColumns([HEADS, ...results.map(row)]),
    `"to broken": bare calls, and attempts of ours, that went to the broken endpoint meanwhile; "known after": when we took it out
of use, and "then there" attempts that still went there, also when it was up in between. "recovery": from the end of the fault
(idle: from the first call) to the first answer. Ours: attemptTimeoutMs 250, no keepalive, all else as by default.`,
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

function row({ title, isTotal, bare, ours }: FaultResult): string[] {
  const there = (count: number) => (isTotal ? "-" : String(count));
  return [
    title,
    String(ours.calls),
    String(bare.failed),
    bare.p99Ms.toFixed(0),
    there(bare.toBroken),
    shown(bare.recoveryMs),
    String(ours.failed),
    ours.p99Ms.toFixed(0),
    there(ours.toBroken),
    isTotal || ours.detectedMs === null ? "-" : ours.detectedMs.toFixed(0),
    there(ours.afterDetection),
    shown(ours.recoveryMs),
  ];
}

function shown(ms: number): string {
  return Number.isNaN(ms) ? "never" : ms.toFixed(0);
}
