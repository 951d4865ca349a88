import { alignColumns } from "../../examples/shared/align-columns.js";
import { quantile } from "../measure/statistics.js";
import type { Section } from "../report/section.js";
import { atMost, type Verdict } from "../report/verdict.js";
import { withTimed } from "../transport/timed-servers.js";
import { bareClient, ourClient, type PoolClient } from "./clients.js";

const SERVERS = 5;
const QUICK_MS = 20;
const SLOW_MS = 10 * QUICK_MS;
const IN_FLIGHT = 24;
const SLICE_MS = 1_500;
const ROUNDS = 4;
const REFERENCE = "round_robin";
const OTHERS = ["least_request", "least_latency"] as const;
const HEADS = ["", "calls", "share of the slow server, %", "p50 ms", "p90 ms", "p99 ms"];

/** What the calls of one client met, all slices together. */
export interface SlowShare {
  readonly name: string;
  readonly calls: number;
  /** Of the calls, the part that the slow server answered. 0-1. */
  readonly share: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
}

interface Answer {
  readonly port: string;
  readonly ms: number;
}

/** One of five servers takes ten times as long: who still sends calls there, and what that costs. */
export async function* ofSlowServer(): AsyncGenerator<Section> {
  const options = Array.from({ length: SERVERS }, (_, at) => ({ delayMs: at === 0 ? SLOW_MS : QUICK_MS }));
  const rows = await withTimed(options, (servers) =>
    measure(
      servers.map(({ address }) => address),
      String(servers[0]?.port),
    ),
  );
  yield {
    part: "slow",
    data: { title: "slow", rows },
    table: [
      `One of ${SERVERS} servers ten times slower (${SLOW_MS} ms), ${IN_FLIGHT} calls in flight (${ROUNDS} slices of ${SLICE_MS / 1_000} s)`,
      alignColumns([HEADS, ...rows.map(cells)]),
    ].join("\n"),
    verdicts: slowVerdicts(rows),
  };
}

/** Against the policy that does not look. */
export function slowVerdicts(rows: readonly SlowShare[]): Verdict[] {
  const reference = rows.find(({ name }) => name === REFERENCE);
  if (reference === undefined) return [];
  return rows
    .filter(({ name }) => OTHERS.some((other) => other === name))
    .flatMap(({ name, share, p90Ms }) => [
      atMost(`${name} to ${REFERENCE}: share of the slow server`, share / reference.share, 0.333),
      atMost(`${name} to ${REFERENCE}: p90`, p90Ms / reference.p90Ms, 0.5),
    ]);
}

async function measure(addresses: readonly string[], slowPort: string): Promise<SlowShare[]> {
  const clients = [
    bareClient(addresses),
    ...[REFERENCE, ...OTHERS].map((policy) => ourClient(policy, addresses, { loadBalancing: policy })),
  ];
  const lanes = clients.map((client) => ({ client, answers: [] as Answer[] }));
  try {
    // The first slice connects, compiles, and lets the policies learn.
    for (const { client } of lanes) await slice(client);
    for (let round = 0; round < ROUNDS; round++) {
      for (const { client, answers } of round % 2 === 0 ? lanes : lanes.toReversed())
        answers.push(...(await slice(client)));
    }
    return lanes.map(({ client: { name }, answers }) => shareOf(name, answers, slowPort));
  } finally {
    for (const client of clients) client.close();
  }
}

/** So many calls in flight for a second; whoever is answered calls again. @throws the first error of a call */
function slice({ stub }: PoolClient): Promise<Answer[]> {
  const endsAt = performance.now() + SLICE_MS;
  const answers: Answer[] = [];
  const request = Buffer.alloc(100);
  const loop = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const startedAt = performance.now();
      const port = await new Promise<string>((resolve, reject) =>
        stub.unary(request, (error, reply) => (error === null ? resolve(String(reply)) : reject(error))),
      );
      answers.push({ port, ms: performance.now() - startedAt });
    }
  };
  return Promise.all(Array.from({ length: IN_FLIGHT }, loop)).then(() => answers);
}

function shareOf(name: string, answers: readonly Answer[], slowPort: string): SlowShare {
  const times = answers.map(({ ms }) => ms);
  return {
    name,
    calls: answers.length,
    share: answers.filter(({ port }) => port === slowPort).length / answers.length,
    p50Ms: quantile(times, 0.5),
    p90Ms: quantile(times, 0.9),
    p99Ms: quantile(times, 0.99),
  };
}

function cells({ name, calls, share, p50Ms, p90Ms, p99Ms }: SlowShare): string[] {
  return [
    name,
    String(calls),
    (share * 100).toFixed(1),
    ...[p50Ms, p90Ms, p99Ms].map((value) => value.toFixed(1)),
  ];
}
