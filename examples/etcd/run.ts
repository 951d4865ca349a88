import { abortable } from "../shared/abortable.js";
import { Timeline, type TimelineEntry } from "../shared/timeline.js";
import { type Cluster, startCluster } from "./cluster.js";
import { planFaults, runFaults } from "./faults.js";
import { hardenedSide } from "./hardened-side.js";
import { IN_FLIGHT, Load, seed } from "./load.js";
import { bareSide, CALL_TIMEOUT_MS, type Side } from "./sides.js";
import type { Method, MethodReport, SideName } from "./tally.js";

export interface Report {
  readonly servers: "etcd" | "own";
  /** How long the load ran; longer than asked for when the restarted node took its time to rejoin. */
  readonly seconds: number;
  readonly callsInFlight: number;
  readonly callTimeoutMs: number;
  readonly timeline: readonly TimelineEntry[];
  readonly sides: Readonly<Record<SideName, Record<Method, MethodReport>>>;
}

/** What a running comparison looks like to whoever shows it. */
export interface Progress {
  readonly servers: "etcd" | "own";
  readonly seconds: number;
  readonly cluster: Cluster;
  readonly timeline: Timeline;
  readonly lanes: readonly { readonly side: Side; readonly load: Load }[];
}

export interface RunOptions {
  readonly servers: "etcd" | "own";
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** Called when the load has begun; the result is told of every fault and of the end. */
  readonly onStart?: (progress: Progress) => { entry(entry: TimelineEntry): void; end(): void };
}

/**
 * Runs both sides through the same faults at the same time and returns what happened. Whatever happens, the servers are
 * gone when it returns or throws.
 */
export async function runComparison(options: RunOptions): Promise<Report> {
  const cluster = await startCluster(options.servers, options.signal);
  const sides: Side[] = [];
  try {
    options.signal.throwIfAborted();
    const addresses = cluster.nodes.map((node) => node.address);
    sides.push(hardenedSide(addresses), bareSide(addresses));
    await Promise.all(sides.map(seed));
    return await compare(cluster, sides, options);
  } finally {
    // Servers first: calls that hang on a frozen one then end, and no close has to wait for them.
    await cluster.stop();
    await Promise.all(sides.map((side) => side.close()));
  }
}

async function compare(cluster: Cluster, sides: readonly Side[], options: RunOptions): Promise<Report> {
  const { servers, seconds, signal } = options;
  let show: ReturnType<NonNullable<RunOptions["onStart"]>> | undefined;
  const timeline = new Timeline((entry) => show?.entry(entry));
  const lanes = sides.map((side) => ({ side, load: new Load(side) }));
  show = options.onStart?.({ servers, seconds, cluster, timeline, lanes });
  try {
    await runFaults(cluster, planFaults(seconds), timeline, signal);
    const ranMs = timeline.nowMs;
    timeline.note("the load ends; calls in flight may go on to their deadline");
    show?.end();
    const reports = await abortable(Promise.all(lanes.map(({ load }) => load.finish())), signal);
    const byName = Object.fromEntries(lanes.map(({ side }, index) => [side.name, reports[index]]));
    return {
      servers,
      seconds: Math.round(ranMs / 100) / 10,
      callsInFlight: IN_FLIGHT,
      callTimeoutMs: CALL_TIMEOUT_MS,
      timeline: timeline.entries,
      sides: byName as Report["sides"],
    };
  } finally {
    for (const { load } of lanes) load.stop();
    show?.end();
  }
}
