import { setTimeout as sleep } from "node:timers/promises";
import { median, quantile } from "../measure/statistics.js";
import { type Contestant, openClerk, openPlain } from "./contestants.js";
import { Workers } from "./workers.js";

/** What one client did with so many operations in flight. */
export interface ThroughputRow {
  readonly client: Contestant["name"];
  /** Median over the slices. */
  readonly operationsPerSecond: number;
  /** Of all operations of all slices. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Its rate to the plain client's, slice by slice; the middle half of the slices lies between `low` and `high`. */
  readonly ratio: { readonly median: number; readonly low: number; readonly high: number };
}

export interface ThroughputResult {
  readonly sessions: number;
  readonly slices: number;
  readonly rows: readonly ThroughputRow[];
}

const SLICE_MS = 1_000;
const VALUE = "v".repeat(32);

/** What a slice gave. */
export interface Slice {
  readonly operationsPerSecond: number;
  readonly latenciesMs: readonly number[];
}

/** Both clients in turn against a cluster that nothing befalls, a second each; the first slice of each does not count. */
export async function measureThroughput(
  servers: readonly string[],
  sessions: number,
  slices: number,
  signal: AbortSignal,
): Promise<ThroughputResult> {
  const clerk = openClerk(servers, sessions);
  const plain = openPlain(servers, sessions);
  try {
    const lanes = [plain, clerk].map((contestant) => ({ contestant, slices: [] as Slice[] }));
    for (const { contestant } of lanes) await runSlice(contestant, signal);
    for (let made = 0; made < slices; made++) {
      // Every second pair the other way round: neither is always the one after.
      for (const lane of made % 2 === 0 ? lanes : lanes.toReversed())
        lane.slices.push(await runSlice(lane.contestant, signal));
    }
    const reference = lanes[0]!.slices;
    const rows = lanes.map((lane) => throughputRow(lane.contestant.name, lane.slices, reference));
    return { sessions, slices, rows };
  } finally {
    await Promise.all([clerk.close(), plain.close()]);
  }
}

/** @throws when an operation failed: numbers with failures in them mean nothing */
async function runSlice({ name, clients, requests }: Contestant, signal: AbortSignal): Promise<Slice> {
  const startedAtMs = performance.now();
  const workers = new Workers(clients.length, mixed(name, clients), 0);
  try {
    await sleep(SLICE_MS, undefined, { signal });
  } finally {
    await workers.finish();
  }
  const seconds = (performance.now() - startedAtMs) / 1_000;
  requests.forget();
  const { acks, failures } = workers;
  if (failures > 0) throw new Error(`${name}: ${failures} operations failed without any fault`);
  const latenciesMs = acks.map((ack) => ack.atMs - ack.startedAtMs);
  return { operationsPerSecond: acks.length / seconds, latenciesMs };
}

/** Half reads, a quarter each puts and appends, on four keys per worker; every put makes the value short again. */
function mixed(name: string, clients: Contestant["clients"]) {
  return (worker: number, turn: number): Promise<unknown> => {
    const client = clients[worker]!;
    const key = `bench/${name}/${worker}/${Math.floor(turn / 4) % 4}`;
    if (turn % 4 === 0) return client.put(key, VALUE);
    return turn % 4 === 2 ? client.append(key, VALUE) : client.get(key);
  };
}

/** One row of the table from the slices of a client and those of the reference. */
export function throughputRow(
  client: ThroughputRow["client"],
  slices: readonly Slice[],
  reference: readonly Slice[],
): ThroughputRow {
  const rates = slices.map((slice) => slice.operationsPerSecond);
  const ratios = rates.map((rate, at) => rate / reference[at]!.operationsPerSecond);
  const latencies = slices.flatMap((slice) => slice.latenciesMs);
  return {
    client,
    operationsPerSecond: median(rates),
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    ratio: { median: median(ratios), low: quantile(ratios, 0.25), high: quantile(ratios, 0.75) },
  };
}
