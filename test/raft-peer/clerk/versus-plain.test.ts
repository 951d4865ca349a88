import { afterEach, expect, it } from "vitest";
import { PlainClerk, type PlainSend } from "../../../bench/clerk/plain-clerk.js";
import { median } from "../../../bench/measure/statistics.js";
import { type CommandResponse, KVServiceService } from "../../../src/gen/kvraftpb/kvraft.js";
import { CLERK_SERVICES } from "../../../src/raft-peer/clerk/kv-calls.js";
import type { LinkResult } from "../../../src/raft-peer/index.js";
import { FakeCluster } from "./fake-cluster.js";

/** The Clerk next to eraft's own client (`bench/clerk/plain-clerk.ts`), each against a cluster of its own. */

const WORKERS = 8;
/** `probe.maxIntervalMs`, its jitter of a fifth, and the way there and back of a probe and a command. */
const PROBE_INTERVAL_MS = 240;
const ROUND_TRIPS_MS = 4;

interface Writer {
  readonly cluster: FakeCluster;
  put(worker: number): Promise<unknown>;
  /** Handed to the links so far: commands, and the Clerk's probes. */
  requests(): number;
  close(): void;
}

const writers: Writer[] = [];

afterEach(async () => {
  for (const { cluster, close } of writers.splice(0)) {
    close();
    await cluster.advance(1_000);
    await cluster.close();
    expect(cluster.clock.pendingTimers).toBe(0);
  }
});

function withClerk(): Writer {
  const cluster = new FakeCluster(3);
  const clerk = cluster.clerk({ sessions: WORKERS });
  const put = (worker: number): Promise<unknown> => clerk.put(`k${worker}`, "v");
  const requests = (): number => {
    const { probes, retries, operations } = clerk.stats();
    return probes + retries + operations.started;
  };
  return enter({ cluster, put, requests, close: () => {} });
}

function withPlain(): Writer {
  const cluster = new FakeCluster(3);
  const links = cluster.addresses.map((address) => cluster.connect(address, CLERK_SERVICES));
  let sent = 0;
  const send: PlainSend = (server, request, timeoutMs, done) => {
    sent += 1;
    const read = (result: LinkResult<CommandResponse>): void => done(result.ok ? result.response : null);
    links[server]!.call(KVServiceService.command, request, timeoutMs, read);
  };
  const clients = eachWorker(
    (worker) => new PlainClerk({ servers: 3, clientId: BigInt(worker), clock: cluster.clock, send }),
  );
  const close = (): void => {
    for (const client of clients) client.close();
  };
  return enter({
    cluster,
    put: (worker) => clients[worker]!.put(`k${worker}`, "v"),
    requests: () => sent,
    close,
  });
}

function enter(writer: Writer): Writer {
  writers.push(writer);
  writer.cluster.server(0).lead(1);
  return writer;
}

function eachWorker<T>(act: (worker: number) => T): T[] {
  return Array.from({ length: WORKERS }, (_, worker) => act(worker));
}

/** Every worker writes once, the leader is lost while it is known, and every worker writes again. */
async function loseLeader(
  { cluster, put }: Writer,
  manner: "refused" | "silent",
): Promise<Promise<number>[]> {
  await Promise.all([...eachWorker(put), cluster.advance(100)]);
  cluster.server(0).manner = manner;
  return eachWorker((worker) => put(worker).then(() => cluster.clock.now()));
}

/** @returns how long after the election the slowest worker's write was acknowledged, in ms */
async function elect(
  { cluster }: Writer,
  server: 1 | 2,
  writes: readonly Promise<number>[],
): Promise<number> {
  const electedAtMs = cluster.clock.now();
  cluster.server(server).lead(2);
  cluster.server(3 - server).follow(2);
  const [ackedAtMs] = await Promise.all([Promise.all(writes), cluster.advance(1_500)]);
  return Math.max(...ackedAtMs) - electedAtMs;
}

/** Requests of both kinds of client while nobody leads. */
async function askedIn(ms: number, manner: "refused" | "silent"): Promise<{ clerk: number; plain: number }> {
  const asked = async (writer: Writer): Promise<number> => {
    const writes = await loseLeader(writer, manner);
    const before = writer.requests();
    await writer.cluster.advance(ms);
    const sent = writer.requests() - before;
    await elect(writer, 1, writes);
    return sent;
  };
  return { clerk: await asked(withClerk()), plain: await asked(withPlain()) };
}

/** The slowest worker's delay, for elections at many moments of the probes' and the timeouts' cycles. */
async function delays(open: () => Writer, manner: "refused" | "silent"): Promise<number[]> {
  const found: number[] = [];
  for (let leaderlessMs = 500; leaderlessMs < 1_000; leaderlessMs += 25) {
    const writer = open();
    const writes = await loseLeader(writer, manner);
    await writer.cluster.advance(leaderlessMs);
    found.push(await elect(writer, leaderlessMs % 50 === 0 ? 1 : 2, writes));
  }
  return found;
}

it("sends at most a tenth of the plain client's requests in two seconds after the leader was killed", async () => {
  const { clerk, plain } = await askedIn(2_000, "refused");

  expect(clerk).toBeGreaterThan(0);
  expect(clerk).toBeLessThanOrEqual(plain / 10);
});

it("sends at most half of the plain client's requests in two seconds with a frozen leader", async () => {
  const { clerk, plain } = await askedIn(2_000, "silent");

  expect(clerk).toBeGreaterThan(0);
  expect(clerk).toBeLessThanOrEqual(plain / 2);
});

it("reaches the successor of a frozen leader within one probe interval, and in half of the plain client's time", async () => {
  const clerk = await delays(withClerk, "silent");
  const plain = await delays(withPlain, "silent");

  expect(Math.max(...clerk)).toBeLessThanOrEqual(PROBE_INTERVAL_MS + ROUND_TRIPS_MS);
  expect(median(clerk)).toBeLessThanOrEqual(median(plain) / 2);
});

it("reaches the successor of a killed leader at most one probe interval later than the plain client", async () => {
  const clerk = await delays(withClerk, "refused");
  const plain = await delays(withPlain, "refused");

  for (const [at, ms] of clerk.entries()) expect(ms - plain[at]!).toBeLessThanOrEqual(PROBE_INTERVAL_MS);
});
