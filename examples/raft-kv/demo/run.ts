import { setTimeout as sleep } from "node:timers/promises";
import { HistoryRecorder } from "../../../test/support/linearizability/index.js";
import { SeededRandom } from "../../../test/support/seeded-random.js";
import { abortable } from "../../shared/abortable.js";
import type { LiveView } from "../../shared/live-view.js";
import { Timeline } from "../../shared/timeline.js";
import { DemoCluster } from "./cluster.js";
import { planFaults } from "./fault-plan.js";
import { type FaultLog, runFaults, WHOLE_LIMIT_MS } from "./faults.js";
import { Load } from "./load.js";
import { OperationSource } from "./operations.js";
import type { DemoOptions } from "./options.js";
import type { FaultReport, Report, Verdict } from "./report.js";
import { Tally } from "./tally.js";
import { CLUSTER_TIMES } from "./times.js";
import { verify } from "./verify.js";
import type { Workload } from "./workload.js";

/** What a running demo looks like to whoever shows it. */
export interface Progress {
  readonly title: string;
  readonly seconds: number;
  readonly cluster: Pick<DemoCluster, "nodes" | "clerk" | "nameOf">;
  readonly timeline: Timeline;
  readonly tally: Tally;
  readonly faultLog: Readonly<FaultLog>;
  /** Milliseconds since the load began; stands still once it is over. */
  nowMs(): number;
}

export interface RunOptions
  extends Pick<DemoOptions, "seconds" | "seed" | "nodes" | "sessions" | "hasFaults"> {
  readonly workload: Workload;
  readonly signal: AbortSignal;
  /** Called when the load has begun. */
  readonly onStart?: (progress: Progress) => LiveView;
}

/** Runs the demo and returns what happened. Whatever happens, the nodes are gone when it returns or throws. */
export async function runDemo(options: RunOptions): Promise<Report> {
  const cluster = await DemoCluster.start(options.nodes, options.sessions, options.signal);
  try {
    return await runOn(cluster, options);
  } finally {
    await cluster.stop();
  }
}

async function runOn(cluster: DemoCluster, options: RunOptions): Promise<Report> {
  const { seconds, seed, nodes, sessions, workload, signal } = options;
  let view: LiveView | undefined;
  const timeline = new Timeline((entry) => view?.entry(entry));
  const tally = new Tally();
  const history = new HistoryRecorder({ now: () => performance.now() });
  const faultLog: FaultLog = { faults: [], leftOut: [], current: undefined };
  let endedAtMs: number | undefined;
  const nowMs = () => endedAtMs ?? timeline.nowMs;
  const leaders = watchLeaders(cluster, timeline);
  const sources = Array.from(
    { length: sessions },
    (_, index) =>
      new OperationSource(workload, new SeededRandom(seed * 1_000 + index + 1), index + 1, sessions),
  );
  const parts = {
    clerk: cluster.clerk,
    history,
    tally,
    nowMs: () => timeline.nowMs,
    thinkMs: workload.thinkMs,
  };
  const load = new Load(parts, sources);
  const title = `${nodes} nodes, ${sessions} sessions, seed ${seed}`;
  view = options.onStart?.({ title, seconds, cluster, timeline, tally, faultLog, nowMs });
  try {
    const plan = options.hasFaults ? planFaults(seconds, new SeededRandom(seed)) : [];
    await runFaults(cluster, plan, faultLog, timeline, signal);
    await sleep(Math.max(0, seconds * 1_000 - timeline.nowMs), undefined, { signal });
    endedAtMs = timeline.nowMs;
    const { retries, probes } = cluster.clerk.stats();
    timeline.note("the load ends");
    await abortable(load.finish(), signal);
    if ((await cluster.whole(WHOLE_LIMIT_MS, signal)) === undefined)
      timeline.note("the cluster is not whole");
    timeline.note(`reading ${load.keys.size} keys and checking ${tally.operations} operations`);
    const checkedAt = performance.now();
    const verdict = await verify(cluster.clerk, history, [...load.keys], sessions, signal);
    timeline.note("checked");
    const checkMs = Math.round(performance.now() - checkedAt);
    const counts = { retries, probes, leaderChanges: leaders.changes(), keys: load.keys.size, checkMs };
    return report(options, tally, faultLog, endedAtMs, counts, verdict);
  } finally {
    load.stop();
    leaders.end();
    view?.end();
  }
}

/** Notes every leader the Clerk learns of. */
function watchLeaders(cluster: DemoCluster, timeline: Timeline) {
  let changes = 0;
  const subscription = cluster.clerk.onEvent((event) => {
    if (event.type !== "leader.changed") return;
    changes += 1;
    timeline.note(`${cluster.nameOf(event.leader.address)} leads in term ${event.leader.term}`);
  });
  return { changes: () => changes, end: () => subscription.dispose() };
}

function report(
  { seed, nodes, sessions }: RunOptions,
  tally: Tally,
  faultLog: FaultLog,
  endedAtMs: number,
  counts: Pick<Report, "retries" | "probes" | "leaderChanges" | "keys" | "checkMs">,
  verdict: Verdict,
): Report {
  const { acknowledged, operations, failed } = tally;
  return {
    seed,
    nodes,
    sessions,
    seconds: Math.round(endedAtMs / 100) / 10,
    heartbeatMs: CLUSTER_TIMES["--heartbeat-ms"],
    electionTimeoutMs: [CLUSTER_TIMES["--election-min-ms"], CLUSTER_TIMES["--election-max-ms"]],
    operations,
    acknowledged,
    operationsPerSecond: Math.round((acknowledged * 1_000) / endedAtMs),
    failed,
    faults: faultReports(faultLog, tally, endedAtMs),
    faultsLeftOut: faultLog.leftOut,
    ...tally.latency(),
    longestUnavailableMs: tally.unavailableMs(0, endedAtMs),
    ...counts,
    ...verdict,
  };
}

function faultReports({ faults }: FaultLog, tally: Tally, endedAtMs: number): FaultReport[] {
  return faults.map((fault, index) => ({
    ...fault,
    unavailableMs: tally.unavailableMs(fault.atMs, faults[index + 1]?.atMs ?? endedAtMs),
  }));
}
