import { afterEach, expect, it } from "vitest";
import { PlainClerk, type PlainSend } from "../../../bench/clerk/plain-clerk.js";
import type { CommandRequest, CommandResponse } from "../../../src/gen/kvraftpb/kvraft.js";
import { KVServiceService } from "../../../src/gen/kvraftpb/kvraft.js";
import { CLERK_SERVICES } from "../../../src/raft-peer/clerk/kv-calls.js";
import { FakeCluster } from "./fake-cluster.js";

/** The Clerk next to eraft's own client (`bench/clerk/plain-clerk.ts`), each against a cluster of its own. */

const WORKERS = 8;
/** `probe.maxIntervalMs`, its jitter of a fifth, and the way there and back of a probe and a command. */
const PROBE_INTERVAL_MS = 240;
const ROUND_TRIPS_MS = 4;

interface Writer {
  readonly cluster: FakeCluster;
  put(worker: number): Promise<unknown>;
}

const writers: Writer[] = [];
const closing: (() => void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) close();
  for (const { cluster } of writers.splice(0)) {
    await cluster.advance(1_000);
    await cluster.close();
    expect(cluster.clock.pendingTimers).toBe(0);
  }
});

function withClerk(): Writer {
  const cluster = new FakeCluster(3);
  const clerk = cluster.clerk({ sessions: WORKERS });
  return enter({ cluster, put: (worker) => clerk.put(`k${worker}`, "v") });
}

function withPlain(): Writer {
  const cluster = new FakeCluster(3);
  const links = cluster.addresses.map((address) => cluster.connect(address, CLERK_SERVICES));
  const send: PlainSend = (server, request, timeoutMs, done) => {
    links[server]!.call<CommandRequest, CommandResponse>(
      KVServiceService.command,
      request,
      timeoutMs,
      (result) => done(result.ok ? result.response : null),
    );
  };
  const clients = Array.from(
    { length: WORKERS },
    (_, worker) => new PlainClerk({ servers: 3, clientId: BigInt(worker), clock: cluster.clock, send }),
  );
  closing.push(() => clients.map((client) => client.close()));
  return enter({ cluster, put: (worker) => clients[worker]!.put(`k${worker}`, "v") });
}

function enter(writer: Writer): Writer {
  writers.push(writer);
  writer.cluster.server(0).lead(1);
  return writer;
}

const eachWorker = <T>(act: (worker: number) => T): T[] => Array.from({ length: WORKERS }, (_, at) => act(at));

function requests({ cluster }: Writer): number {
  return cluster.statusRequests + cluster.commands;
}

/** All workers write once, then the leader is lost, and all write again. */
async function loseLeader(writer: Writer, manner: "refused" | "silent"): Promise<{ results: Promise<number>[] }> {
  const { cluster } = writer;
  await Promise.all([...eachWorker((worker) => writer.put(worker)), cluster.advance(100)]);
  cluster.server(0).manner = manner;
  const results = eachWorker((worker) => writer.put(worker).then(() => cluster.clock.now()));
  return { results };
}

/** @returns how long after it the slowest worker's write was acknowledged */
async function elect({ cluster }: Writer, server: number, results: Promise<number>[]): Promise<number> {
  const electedAt = cluster.clock.now();
  cluster.server(server).lead(2);
  for (const other of [1, 2]) if (other !== server) cluster.server(other).follow(2);
  const [doneAt] = await Promise.all([Promise.all(results), cluster.advance(2_000)]);
  return Math.max(...doneAt) - electedAt;
}

/** Requests of both in two seconds without a leader. */
async function askedWithoutLeader(manner: "refused" | "silent"): Promise<{ clerk: number; plain: number }> {
  const [clerk, plain] = await Promise.all(
    [withClerk(), withPlain()].map(async (writer) => {
      const { results } = await loseLeader(writer, manner);
      const before = requests(writer);
      await writer.cluster.advance(2_000);
      const asked = requests(writer) - before;
      await elect(writer, 1, results);
      return asked;
    }),
  );
  return { clerk: clerk!, plain: plain! };
}
