import { setTimeout as sleep } from "node:timers/promises";
import type { DemoCluster } from "../../examples/raft-kv/demo/cluster.js";
import type { FaultKind } from "../../examples/raft-kv/demo/fault-plan.js";
import { whyNoFreeze } from "../../examples/shared/why-no-freeze.js";
import { median } from "../measure/statistics.js";
import { type Contestant, openClerk, openPlain } from "./contestants.js";
import { type Election, ElectionWatch } from "./election-watch.js";
import { Workers } from "./workers.js";

/** How one client got over an outage. */
export interface ClientOutage {
  /** From the new leader's election to the first acknowledged write, of the median worker. */
  readonly medianMs: number;
  /** The same of the slowest worker. */
  readonly worstMs: number;
  /** Commands sent between the fault and the election. */
  readonly commands: number;
  /** GetStatus requests sent in that time; only the Clerk sends any. */
  readonly probes: number;
}

/** One outage, as both clients met it at the same time. */
export interface Outage {
  readonly kind: FaultKind;
  /** From the fault to the new leader. */
  readonly electionMs: number;
  /** How far the instant of the election may be off, either way. */
  readonly errorMs: number;
  readonly clerk: ClientOutage;
  readonly plain: ClientOutage;
}

export interface OutageOptions {
  /** Outages of each kind. */
  readonly repeats: number;
  /** Of each client. */
  readonly workers: number;
  readonly signal: AbortSignal;
  note(line: string): void;
}

const KINDS: readonly FaultKind[] = ["kill", "freeze", "partition"];
/** Between two writes of a worker: the nodes must have time for their elections. */
const THINK_MS = 20;
/** Quiet time before a fault, in which connections to the node that came back are made again. */
const SETTLE_MS = 1_500;
const WHOLE_LIMIT_MS = 20_000;
const OUTAGE_LIMIT_MS = 15_000;
const POLL_MS = 20;

interface Side {
  readonly contestant: Contestant;
  readonly workers: Workers;
}

/** Hurts the leader again and again, each kind in turn, while both clients write. An outage that cannot be measured is noted. */
export async function* outages(cluster: DemoCluster, options: OutageOptions): AsyncGenerator<Outage> {
  const servers = cluster.nodes.map(({ address }) => address);
  const contestants = [openClerk(servers, options.workers), openPlain(servers, options.workers)];
  const watch = new ElectionWatch(servers);
  const sides = contestants.map((contestant) => ({ contestant, workers: startWriting(contestant) }));
  try {
    await watch.connect();
    for (let made = 0; made < options.repeats * KINDS.length; made++) {
      const kind = KINDS[made % KINDS.length]!;
      const outage = await oneOutage(cluster, kind, sides, watch, options.signal);
      if (typeof outage === "string") options.note(`the ${kind} is left out: ${outage}`);
      else yield outage;
    }
    for (const { contestant, workers } of sides)
      if (workers.failures > 0) options.note(`${contestant.name}: ${workers.failures} writes failed`);
  } finally {
    watch.close();
    const finished = sides.map(({ workers }) => workers.finish());
    await Promise.all(contestants.map((contestant) => contestant.close()));
    await Promise.all(finished);
  }
}

function startWriting({ name, clients }: Contestant): Workers {
  const write = (worker: number, turn: number): Promise<unknown> =>
    clients[worker]!.put(`outage/${name}/${worker}`, String(turn));
  return new Workers(clients.length, write, THINK_MS);
}

/** @returns why it could not be measured, when it could not */
async function oneOutage(
  cluster: DemoCluster,
  kind: FaultKind,
  sides: readonly Side[],
  watch: ElectionWatch,
  signal: AbortSignal,
): Promise<Outage | string> {
  const excuse = kind === "freeze" ? whyNoFreeze() : undefined;
  if (excuse !== undefined) return excuse;
  await sleep(SETTLE_MS, undefined, { signal });
  const leader = await cluster.whole(WHOLE_LIMIT_MS, signal);
  if (leader === undefined) return `the cluster was not whole within ${WHOLE_LIMIT_MS} ms`;
  for (const { contestant, workers } of sides) {
    contestant.requests.forget();
    workers.forget();
  }
  const limit = AbortSignal.any([signal, AbortSignal.timeout(OUTAGE_LIMIT_MS)]);
  const watching = watch.newLeader(leader, limit);
  const faultAtMs = performance.now();
  try {
    await begin(cluster, kind, leader);
    const election = await watching;
    if (election === undefined) return `no other node led within ${OUTAGE_LIMIT_MS} ms`;
    if (election.notBeforeMs < faultAtMs) return "another node led already";
    for (const { contestant, workers } of sides) {
      const isBack = await allWrote(workers, election, limit);
      if (!isBack) return `${contestant.name} did not get every write through in ${OUTAGE_LIMIT_MS} ms`;
    }
    return measured(kind, faultAtMs, election, sides);
  } finally {
    signal.throwIfAborted();
    await end(cluster, kind, leader);
  }
}

async function allWrote(workers: Workers, election: Election, limit: AbortSignal): Promise<boolean> {
  while (workers.firstAcksFrom(election.notBeforeMs).includes(undefined)) {
    if (limit.aborted) return false;
    await sleep(POLL_MS);
  }
  return true;
}

function measured(kind: FaultKind, faultAtMs: number, election: Election, sides: readonly Side[]): Outage {
  const { notBeforeMs, notAfterMs } = election;
  const electedAtMs = (notBeforeMs + notAfterMs) / 2;
  const [clerk, plain] = sides.map(({ contestant, workers }): ClientOutage => {
    const acks = workers.firstAcksFrom(notBeforeMs) as number[];
    const beyondMs = acks.map((at) => Math.max(0, at - electedAtMs));
    const count = (kind: "command" | "probe") => contestant.requests.count(kind, faultAtMs, electedAtMs);
    return {
      medianMs: median(beyondMs),
      worstMs: Math.max(...beyondMs),
      commands: count("command"),
      probes: count("probe"),
    };
  });
  const errorMs = (notAfterMs - notBeforeMs) / 2;
  return { kind, electionMs: electedAtMs - faultAtMs, errorMs, clerk: clerk!, plain: plain! };
}

async function begin(cluster: DemoCluster, kind: FaultKind, node: number): Promise<void> {
  if (kind === "kill") await cluster.kill(node);
  else if (kind === "freeze") cluster.freeze(node);
  else await cluster.cutOff(node, true);
}

async function end(cluster: DemoCluster, kind: FaultKind, node: number): Promise<void> {
  if (kind === "kill") cluster.restart(node);
  else if (kind === "freeze") cluster.thaw(node);
  else await cluster.heal();
}
