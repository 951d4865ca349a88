import { setTimeout as sleep } from "node:timers/promises";
import type { Timeline } from "../../shared/timeline.js";
import { whyNoFreeze } from "../../shared/why-no-freeze.js";
import type { FaultKind, PlannedFault } from "./fault-plan.js";

/** What the faults need of the cluster. */
export interface FaultTarget {
  readonly nodes: readonly { readonly name: string }[];
  whole(limitMs: number, signal: AbortSignal): Promise<number | undefined>;
  kill(node: number): Promise<void>;
  restart(node: number): void;
  freeze(node: number): void;
  thaw(node: number): void;
  cutOff(node: number, fromClientToo: boolean): Promise<void>;
  heal(): Promise<void>;
}

/** A fault as it happened. */
export interface Fault {
  readonly kind: FaultKind;
  /** Since the load began, in milliseconds. */
  readonly atMs: number;
  /** When the node was given back. */
  readonly endedAtMs: number;
}

/** A fault that was planned and did not happen. */
export interface LeftOut {
  readonly kind: FaultKind;
  readonly why: string;
  /** The system cannot do it; any other reason leaves the test short of what was planned. */
  readonly isByPlatform: boolean;
}

/** How long the cluster may take to become whole before the next fault is left out. */
export const WHOLE_LIMIT_MS = 20_000;

/** Lists of what has happened so far; shared with whoever shows it. */
export interface FaultLog {
  readonly faults: Fault[];
  readonly leftOut: LeftOut[];
  /** The one that lasts right now. */
  current: { readonly kind: FaultKind; readonly atMs: number } | undefined;
}

/**
 * Hurts the leader as planned, each time once all nodes are there and have caught up: with two nodes away no majority is
 * left, and no client could do anything about it. Returns when the cluster is whole after the last one, or the wait for that
 * is over.
 */
export async function runFaults(
  target: FaultTarget,
  plan: readonly PlannedFault[],
  log: FaultLog,
  timeline: Timeline,
  signal: AbortSignal,
): Promise<void> {
  for (const planned of plan) {
    await sleep(Math.max(0, planned.atMs - timeline.nowMs), undefined, { signal });
    const leader = await target.whole(WHOLE_LIMIT_MS, signal);
    const noFreeze = planned.kind === "freeze" ? whyNoFreeze() : undefined;
    if (leader === undefined || noFreeze !== undefined) {
      const why = noFreeze ?? `the cluster was not whole within ${WHOLE_LIMIT_MS} ms`;
      log.leftOut.push({ kind: planned.kind, why, isByPlatform: noFreeze !== undefined });
      timeline.note(`the ${planned.kind} is left out: ${why}`);
      continue;
    }
    const name = target.nodes[leader]!.name;
    const atMs = timeline.nowMs;
    log.current = { kind: planned.kind, atMs };
    try {
      timeline.note(await begin(target, planned, leader, name));
      await sleep(planned.lastsMs, undefined, { signal });
      timeline.note(await end(target, planned, leader, name));
    } finally {
      log.current = undefined;
    }
    log.faults.push({
      kind: planned.kind,
      atMs: Math.round(atMs),
      endedAtMs: Math.round(timeline.nowMs),
    });
  }
  if (plan.length > 0 && (await target.whole(WHOLE_LIMIT_MS, signal)) === undefined)
    timeline.note(`the cluster was not whole again within ${WHOLE_LIMIT_MS} ms`);
}

async function begin(target: FaultTarget, { kind, cutsClient }: PlannedFault, node: number, name: string) {
  switch (kind) {
    case "kill":
      await target.kill(node);
      return `${name}, the leader, killed (SIGKILL)`;
    case "freeze":
      target.freeze(node);
      return `${name}, the leader, frozen (SIGSTOP)`;
    case "partition":
      await target.cutOff(node, cutsClient);
      return `${name}, the leader, cut off from the other nodes${cutsClient ? " and the client" : ""}`;
  }
}

async function end(target: FaultTarget, { kind }: PlannedFault, node: number, name: string) {
  switch (kind) {
    case "kill":
      target.restart(node);
      return `${name} restarted with its old disk`;
    case "freeze":
      target.thaw(node);
      return `${name} continued (SIGCONT)`;
    case "partition":
      await target.heal();
      return `the links of ${name} are healed`;
  }
}
