import { afterEach, beforeEach, expect, it } from "vitest";
import { ElectionWatch } from "../../bench/clerk/election-watch.js";
import { addKvService, type NodeState } from "../../src/index.js";
import { type ServedServer, serve } from "../raft-peer/served-server.js";
import { type LeakBaseline, leakBaseline } from "../support/leak-check.js";

let leaks: LeakBaseline;
let servers: ServedServer[];
let states: NodeState[];
let asked: number[];
let watch: ElectionWatch;

beforeEach(async () => {
  leaks = await leakBaseline();
  states = ["Leader", "Follower", "Follower"];
  asked = [0, 0, 0];
  servers = await Promise.all(states.map((_, node) => serve((server) => addKvService(server, nodeAt(node)))));
  watch = new ElectionWatch(servers.map(({ address }) => address));
  await watch.connect();
});

afterEach(async () => {
  watch.close();
  for (const server of servers) server.close();
  await leaks.expectClean();
});

function nodeAt(id: number) {
  const status = () => {
    asked[id]! += 1;
    return { id, state: states[id]!, term: 1, lastApplied: 0, commitIndex: 0, storageBytes: 0 };
  };
  return { command: () => ({ err: "ErrWrongLeader", value: "" }), status };
}

it("tells between which instants another node became leader", async () => {
  const election = watch.newLeader(0, AbortSignal.timeout(5_000));
  await expect.poll(() => asked[2]).toBeGreaterThan(3);
  const electedAtMs = performance.now();
  states[2] = "Leader";

  const { notBeforeMs, notAfterMs } = (await election)!;

  expect(notBeforeMs).toBeLessThanOrEqual(electedAtMs);
  expect(notAfterMs).toBeGreaterThanOrEqual(electedAtMs);
});

it("finds the new leader while a third node does not answer", async () => {
  servers[1]!.close();
  states[2] = "Leader";

  expect(await watch.newLeader(0, AbortSignal.timeout(5_000))).toBeDefined();
});

it("finds nobody where only the old leader leads", async () => {
  const abort = new AbortController();
  const election = watch.newLeader(0, abort.signal);
  await expect.poll(() => asked[1]).toBeGreaterThan(3);
  abort.abort();

  expect(await election).toBeUndefined();
  expect(asked[0]).toBe(1);
});
