import { DemoCluster } from "../../examples/raft-kv/demo/cluster.js";
import { type Outage, outages } from "./outages.js";
import { outageTable, throughputTable, verdictLine } from "./tables.js";
import { measureThroughput, type ThroughputResult } from "./throughput.js";
import { type KindSummary, summariseOutages, totalRequests, type Verdict } from "./verdicts.js";

export interface ClerkBenchOptions {
  /** Measured slices of a second, per client and number of sessions. */
  readonly seconds: number;
  /** Outages of each kind. */
  readonly repeats: number;
  /** Of each client, during the outages. */
  readonly workers: number;
}

export interface ClerkBenchResult {
  readonly throughput: readonly ThroughputResult[];
  readonly workers: number;
  readonly outages: readonly Outage[];
  readonly kinds: readonly KindSummary[];
  readonly requestsOfAll: Verdict;
}

/** Where tables and notes go. */
export interface ClerkBenchView {
  show(table: string): void;
  note(line: string): void;
}

const NODES = 3;
const SESSIONS = [1, 8, 64];

/** The Clerk next to the plain client: without faults, then through outages. Each part has a cluster of its own. */
export async function benchClerk(
  options: ClerkBenchOptions,
  view: ClerkBenchView,
  signal: AbortSignal,
): Promise<ClerkBenchResult> {
  const throughput: ThroughputResult[] = [];
  if (options.seconds > 0) {
    await onCluster(signal, async (cluster) => {
      const servers = cluster.nodes.map(({ address }) => address);
      for (const sessions of SESSIONS) {
        const result = await measureThroughput(servers, sessions, options.seconds, signal);
        throughput.push(result);
        view.show(throughputTable(result));
      }
    });
  }
  const { repeats, workers } = options;
  const made: Outage[] = [];
  if (repeats > 0) {
    await onCluster(signal, async (cluster) => {
      const each = outages(cluster, { repeats, workers, signal, note: view.note });
      for await (const outage of each) made.push(outage);
    });
  }
  const kinds = summariseOutages(made);
  for (const kind of kinds) view.show(outageTable(kind));
  const requestsOfAll = totalRequests(made);
  if (made.length > 0) view.show(`all outages together\n${verdictLine(requestsOfAll)}`);
  return { throughput, workers, outages: made, kinds, requestsOfAll };
}

/** Whatever happens, the nodes are gone when it returns or throws. */
async function onCluster(signal: AbortSignal, use: (cluster: DemoCluster) => Promise<void>): Promise<void> {
  const cluster = await DemoCluster.start(NODES, 1, signal);
  try {
    await use(cluster);
  } finally {
    await cluster.stop();
  }
}
