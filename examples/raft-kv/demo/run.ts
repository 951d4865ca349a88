import { setTimeout as sleep } from "node:timers/promises";
import { HistoryRecorder } from "../../../test/support/linearizability/index.js";
import { SeededRandom } from "../../../test/support/seeded-random.js";
import { abortable } from "../../shared/abortable.js";
import type { LiveView } from "../../shared/live-view.js";
import { Timeline } from "../../shared/timeline.js";
import { DemoCluster } from "./cluster.js";
import { type PlannedFault, planFaults } from "./fault-plan.js";
import { type FaultLog, type FaultTarget, runFaults, WHOLE_LIMIT_MS } from "./faults.js";
import { LeaderWatch } from "./leader-watch.js";
import { Load, type LoadParts } from "./load.js";
import { OperationSource } from "./operations.js";
import type { DemoOptions } from "./options.js";
import { type FaultReport, gapsOf, type Report, type Verdict } from "./report.js";
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

/** What a run needs of the cluster. */
export type RunCluster = FaultTarget & Pick<DemoCluster, "nodes" | "clerk" | "nameOf">;

/** Runs the demo and returns what happened. Whatever happens, the nodes are gone when it returns or throws. */
export async function runDemo(options: RunOptions): Promise<Report> {
  const cluster = await DemoCluster.start(options.nodes, options.sessions, options.signal);
  try {
    return await runOn(cluster, options);
  } finally {
    await cluster.stop();
  }
}

/** Load, faults and check on a cluster that runs. */
export async function runOn(cluster: RunCluster, options: RunOptions): Promise<Report> {
  const { seconds, seed, nodes, sessions, signal } = options;
  let view: LiveView | undefined;
  const timeline = new Timeline((entry) => view?.entry(entry));
  const tally = new Tally();
  const history = new HistoryRecorder({ now: () => performance.now() });
  const faultLog: FaultLog = { faults: [], leftOut: [], current: undefined };
  let endedAtMs: number | undefined;
  const nowMs = () => endedAtMs ?? timeline.nowMs;
  using leaders = new LeaderWatch(cluster.clerk, ({ address, term }) =>
    timeline.note(`${cluster.nameOf(address)} leads in term ${term}`),
  );
  const load = startLoad(cluster, options, { history, tally, nowMs: () => timeline.nowMs });
  const title = `${nodes} nodes, ${sessions} sessions, seed ${seed}`;
  view = options.onStart?.({ title, seconds, cluster, timeline, tally, faultLog, nowMs });
  const troubles = new Troubles(timeline, signal);
  try {
    const plan = options.hasFaults ? planFaults(seconds, new SeededRandom(seed)) : [];
    await troubles.of(() => runFaults(cluster, plan, faultLog, timeline, signal));
    leaveOutTheRest(plan, faultLog, troubles);
    const restMs = troubles.texts.length > 0 ? 0 : seconds * 1_000 - timeline.nowMs;
    await sleep(Math.max(0, restMs), undefined, { signal });
    await abortable(load.finish(), signal);
    // Every figure is of this moment: nothing is in flight any more, and the check has not begun.
    endedAtMs = timeline.nowMs;
    const { retries, probes } = cluster.clerk.stats();
    const counts = { retries, probes, leaderChanges: leaders.changes, keys: load.keys.size };
    const ofLoad = { ...counts, ...loadReport(options, tally, faultLog, endedAtMs) };
    timeline.note("the load has ended");
    const whole = (await troubles.of(() => cluster.whole(WHOLE_LIMIT_MS, signal))) !== undefined;
    if (!whole) timeline.note("the cluster is not whole");
    timeline.note(`reading ${load.keys.size} keys and checking ${tally.operations} operations`);
    const checkedAt = performance.now();
    const verdict = await verify(cluster.clerk, history, [...load.keys], sessions, signal);
    timeline.note("checked");
    const checkMs = Math.round(performance.now() - checkedAt);
    const findings = [...verdict.findings, ...gapsOf({ ...ofLoad, whole }), ...troubles.texts];
    return { ...ofLoad, whole, checkMs, ...verdict, findings };
  } finally {
    load.stop();
    view?.end();
  }
}

/** What went wrong with the cluster. It ends the faults, not the check: what was found up to then is worth the most. */
class Troubles {
  readonly texts: string[] = [];
  readonly #timeline: Timeline;
  readonly #signal: AbortSignal;

  constructor(timeline: Timeline, signal: AbortSignal) {
    this.#timeline = timeline;
    this.#signal = signal;
  }

  async of<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#signal.throwIfAborted();
      const text = error instanceof Error ? error.message : String(error);
      this.#timeline.note(firstLine(text));
      if (!this.texts.includes(text)) this.texts.push(text);
      return undefined;
    }
  }
}

function leaveOutTheRest(plan: readonly PlannedFault[], log: FaultLog, { texts: [trouble] }: Troubles): void {
  if (trouble === undefined) return;
  const why = firstLine(trouble);
  for (const { kind } of plan.slice(log.faults.length + log.leftOut.length))
    log.leftOut.push({ kind, why, isByPlatform: false });
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!.replace(/:$/, "");
}

function startLoad(
  { clerk }: RunCluster,
  { seed, sessions, workload }: RunOptions,
  parts: Pick<LoadParts, "history" | "tally" | "nowMs">,
): Load {
  const sources = Array.from({ length: sessions }, (_, index) => {
    const random = new SeededRandom(seed * 1_000 + index + 1);
    return new OperationSource(workload, random, index + 1, sessions);
  });
  return new Load({ ...parts, clerk, thinkMs: workload.thinkMs }, sources);
}

type CountedLater = "whole" | "checkMs" | "keys" | "retries" | "probes" | "leaderChanges";

function loadReport(
  { seed, nodes, sessions }: RunOptions,
  tally: Tally,
  faultLog: FaultLog,
  endedAtMs: number,
): Omit<Report, keyof Verdict | CountedLater> {
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
  };
}

function faultReports({ faults }: FaultLog, tally: Tally, endedAtMs: number): FaultReport[] {
  return faults.map((fault, index) => ({
    ...fault,
    unavailableMs: tally.unavailableMs(fault.atMs, faults[index + 1]?.atMs ?? endedAtMs),
  }));
}
