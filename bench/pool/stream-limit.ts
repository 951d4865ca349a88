import { alignColumns } from "../../examples/shared/align-columns.js";
import { median } from "../measure/statistics.js";
import type { Section } from "../report/section.js";
import { atMost, type Verdict } from "../report/verdict.js";
import { withTimed } from "../transport/timed-servers.js";
import { bareClient, ourClient, type PoolClient } from "./clients.js";

const CALLS = 1_000;
const MAX_STREAMS = 100;
const SERVICE_MS = 100;
const BURSTS = 9;
/** Of each client, before those that count. */
const WARM_UP_BURSTS = 3;
const REFERENCE = "bare";
const WIDE = "maxConnections: 4";
const HEADS = ["", "first burst ms", "ms", "ratio"];

/** How long the bursts of one client took. */
export interface BurstTimes {
  readonly name: string;
  /** Which also opens the connections. */
  readonly firstMs: number;
  /** Of those that count, median. */
  readonly ms: number;
  /** To bare grpc-js, burst by burst; the median. */
  readonly ratio: number;
}

/** A server that takes 100 streams per connection, and a thousand calls at once. */
export async function* ofStreamLimit(): AsyncGenerator<Section> {
  const options = [{ delayMs: SERVICE_MS, maxStreams: MAX_STREAMS }];
  const rows = await withTimed(options, (servers) => measure(servers.map(({ address }) => address)));
  yield {
    part: "limit",
    data: { title: "limit", calls: CALLS, rows },
    table: [
      `${CALLS.toLocaleString("en")} calls of ${SERVICE_MS} ms at once, to a server of ${MAX_STREAMS} streams per connection (${BURSTS} bursts)`,
      alignColumns([HEADS, ...rows.map(cells)]),
    ].join("\n"),
    verdicts: burstVerdicts(rows),
  };
}

export function burstVerdicts(rows: readonly BurstTimes[]): Verdict[] {
  return rows
    .filter(({ name }) => name === WIDE)
    .map(({ name, ratio }) => atMost(`${name} to ${REFERENCE}: time`, ratio, 0.5));
}

async function measure(addresses: readonly string[]): Promise<BurstTimes[]> {
  const clients = [
    bareClient(addresses),
    ourClient("defaults", addresses),
    ourClient(WIDE, addresses, { maxConnections: 4 }),
  ];
  const lanes = clients.map((client) => ({ client, times: [] as number[] }));
  try {
    for (let made = 0; made < WARM_UP_BURSTS + BURSTS; made++) {
      for (const { client, times } of made % 2 === 0 ? lanes : lanes.toReversed())
        times.push(await burst(client));
    }
  } finally {
    for (const client of clients) client.close();
  }
  const [reference = []] = lanes.map(({ times }) => times);
  return lanes.map(({ client: { name }, times }) => timesOf(name, times, reference));
}

function timesOf(name: string, times: readonly number[], reference: readonly number[]): BurstTimes {
  const ratios = times.map((ms, at) => ms / (reference[at] as number));
  return {
    name,
    firstMs: times[0] ?? Number.NaN,
    ms: median(times.slice(WARM_UP_BURSTS)),
    ratio: median(ratios.slice(WARM_UP_BURSTS)),
  };
}

/** @returns how long all of them took, in ms. @throws the first error of a call */
async function burst({ stub }: PoolClient): Promise<number> {
  const request = Buffer.alloc(100);
  const startedAt = performance.now();
  const calls = Array.from(
    { length: CALLS },
    () =>
      new Promise<void>((resolve, reject) =>
        stub.unary(request, (error) => (error === null ? resolve() : reject(error))),
      ),
  );
  await Promise.all(calls);
  return performance.now() - startedAt;
}

function cells({ name, firstMs, ms, ratio }: BurstTimes): string[] {
  return [name, firstMs.toFixed(0), ms.toFixed(0), ratio.toFixed(2)];
}
