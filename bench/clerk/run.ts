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
  table(text: string): void;
  note(line: string): void;
}

export const CLERK_LEGEND = `"plain" is eraft's own client on bare grpc-js stubs: after an error the next server, after 10 ms. Three nodes in
processes of their own, on loopback, every link through a proxy in this process, which is in all absolute numbers. "ratio" is to the
Clerk, slice by slice. Outages: both clients write at the same time with as many workers; "worker ms" is from the new
leader's election, polled from the nodes themselves, to a worker's first acknowledged write; "requests" are those sent
between the fault and the election, probes included; all as median (min..max) over the outages.`;

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
        view.table(throughputTable(result));
      }
    });
  }
  const { repeats, workers } = options;
  const made: Outage[] = [];
  await onCluster(signal, async (cluster) => {
    for await (const outage of outages(cluster, { repeats, workers, signal, note: view.note })) made.push(outage);
  });
  const kinds = summariseOutages(made);
  for (const kind of kinds) view.table(outageTable(kind));
  const requestsOfAll = totalRequests(made);
  view.table(`all outages together\n${verdictLine(requestsOfAll)}`);
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
