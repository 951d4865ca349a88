import { setTimeout as sleep } from "node:timers/promises";
import type { Timeline } from "../shared/timeline.js";
import { whyNoFreeze } from "../shared/why-no-freeze.js";
import type { Cluster, ClusterNode } from "./cluster.js";

/** When what is done, in milliseconds; all of it scales with the length of the run. */
export interface FaultPlan {
  readonly killAtMs: number;
  readonly restartAtMs: number;
  readonly freezeAtMs: number;
  readonly freezeForMs: number;
  /** Quiet time after the restarted node has rejoined, and at the end. */
  readonly calmMs: number;
  readonly endAtMs: number;
}

export function planFaults(seconds: number): FaultPlan {
  const ms = seconds * 1_000;
  return {
    killAtMs: 0.1 * ms,
    restartAtMs: 0.3 * ms,
    freezeAtMs: 0.5 * ms,
    freezeForMs: 0.35 * ms,
    calmMs: 0.05 * ms,
    endAtMs: ms,
  };
}

/**
 * Kills the leader, restarts it, and only when it is a full member again freezes another node: with two nodes away at
 * once etcd has no quorum, and no client could do anything about it. Returns when the load may end.
 */
export async function runFaults(cluster: Cluster, plan: FaultPlan, timeline: Timeline, signal: AbortSignal) {
  const until = (atMs: number) => sleep(Math.max(0, atMs - timeline.nowMs), undefined, { signal });

  await until(plan.killAtMs);
  const victim = await killLeader(cluster, timeline, signal);
  await until(plan.restartAtMs);
  victim.restart();
  timeline.note(`${victim.name} restarted with the same address`);
  await cluster.waitRejoined(victim);
  timeline.note(`${victim.name} has rejoined`);

  await until(Math.max(plan.freezeAtMs, timeline.nowMs + plan.calmMs));
  const frozen = await freezeAnother(cluster, victim, timeline);
  await until(timeline.nowMs + plan.freezeForMs);
  if (frozen !== undefined) {
    frozen.thaw();
    timeline.note(`${frozen.name} continued (SIGCONT)`);
  }
  await until(Math.max(plan.endAtMs, timeline.nowMs + plan.calmMs));
}

async function killLeader(cluster: Cluster, timeline: Timeline, signal: AbortSignal): Promise<ClusterNode> {
  const leader = await cluster.findLeader();
  const victim = leader ?? cluster.nodes[0]!;
  await victim.kill();
  const killedAtMs = timeline.nowMs;
  timeline.note(`${victim.name}${leader === undefined ? "" : ", the leader,"} killed (SIGKILL)`);
  // Told on the side: the restart does not wait for it.
  cluster
    .findLeader()
    .then(
      (next) => next && timeline.note(`${next.name} leads, ${timeline.sinceText(killedAtMs)} after the kill`),
    )
    .catch((error: Error) => signal.aborted || timeline.note(error.message));
  return victim;
}

/** A follower if there is one, so that the frozen connection and not a second election is what clients meet. */
async function freezeAnother(cluster: Cluster, victim: ClusterNode, timeline: Timeline) {
  const leader = await cluster.findLeader();
  const others = cluster.nodes.filter((node) => node !== victim);
  const chosen = others.find((node) => node !== leader)!;
  const excuse = whyNoFreeze() ?? tryFreeze(chosen);
  if (excuse !== undefined) {
    timeline.note(`the freeze is left out: ${excuse}`);
    return undefined;
  }
  timeline.note(`${chosen.name} frozen (SIGSTOP)`);
  return chosen;
}

function tryFreeze(node: ClusterNode): string | undefined {
  try {
    node.freeze();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
