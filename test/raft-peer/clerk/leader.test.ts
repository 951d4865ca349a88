import { afterEach, beforeEach, expect, it } from "vitest";
import type { Clerk, ClerkEvent } from "../../../src/raft-peer/index.js";
import { FakeCluster } from "./fake-cluster.js";

let cluster: FakeCluster;
let clerk: Clerk;

beforeEach(() => {
  cluster = new FakeCluster(5);
  cluster.server(2).lead(3);
  clerk = cluster.clerk();
});

afterEach(async () => {
  await cluster.close();
  expect(cluster.clock.pendingTimers).toBe(0);
});

it("finds the leader by asking every server once, however many operations wait", async () => {
  const gets = Array.from({ length: 20 }, () => clerk.get("k"));

  await cluster.run(Promise.all(gets));

  expect(cluster.servers.map(({ statusRequests }) => statusRequests)).toEqual([1, 1, 1, 1, 1]);
  expect(cluster.server(2).commands).toHaveLength(20);
  expect(clerk.stats()).toMatchObject({
    leader: { term: 3, address: "10.0.0.3:5001" },
    probes: 5,
    retries: 0,
  });
});

it("sends one request per operation once the leader is known", async () => {
  await cluster.run(clerk.put("k", "v"));
  const before = cluster.statusRequests;

  await cluster.run(clerk.get("k"));

  expect(cluster.statusRequests).toBe(before);
  expect(cluster.commands).toBe(2);
});

it("goes to the new leader when the one it knows answers ErrWrongLeader", async () => {
  await cluster.run(clerk.put("k", "v"));
  for (const id of [0, 1, 2, 3]) cluster.server(id).follow(4);
  cluster.server(4).lead(4);

  await cluster.run(clerk.append("k", "w"));

  expect(cluster.store.get("k")).toBe("vw");
  expect(clerk.stats().leader).toEqual({ term: 4, address: "10.0.0.5:5001" });
  expect(cluster.server(2).commands).toHaveLength(2);
});

it("leaves a frozen leader as soon as another one is elected, long before the attempt's own limit", async () => {
  const patient = cluster.clerk({ attemptTimeoutMs: 60_000, timeoutMs: 60_000 });
  await cluster.run(patient.put("k", "v"));
  cluster.server(2).manner = "silent";
  const append = patient.append("k", "w");
  await cluster.advance(1_000);
  cluster.server(0).lead(4);

  await cluster.run(append, 500);

  expect(cluster.store.get("k")).toBe("vw");
  expect(patient.stats().retries).toBe(1);
});

it("does not take the claim of a leader that most servers have left behind", async () => {
  cluster.server(0).lead(2);
  for (const id of [1, 3, 4]) cluster.server(id).follow(3);

  await cluster.run(clerk.put("k", "v"));

  expect(cluster.server(0).commands).toHaveLength(0);
  expect(cluster.server(2).commands).toHaveLength(1);
});

it("waits for the true leader while only an outdated one claims to lead", async () => {
  cluster.server(0).lead(2);
  for (const id of [1, 2, 3, 4]) cluster.server(id).follow(5);
  const put = clerk.put("k", "v");
  await cluster.advance(1_000);
  expect(cluster.commands).toBe(0);
  cluster.server(1).lead(5);

  await cluster.run(put);

  expect(cluster.server(0).commands).toHaveLength(0);
  expect(cluster.server(1).commands).toHaveLength(1);
});

it("stays with a leader although a server that is cut off has counted its own term up", async () => {
  cluster.server(4).follow(40);

  await cluster.run(clerk.put("k", "v"));

  expect(cluster.server(2).commands).toHaveLength(1);
});

it("takes a leader that it alone can reach", async () => {
  for (const id of [0, 1, 3, 4]) cluster.server(id).manner = "refused";

  await cluster.run(clerk.put("k", "v"));

  expect(cluster.server(2).commands).toHaveLength(1);
});

it("starts anew with a cluster that was set up anew at the same addresses", async () => {
  cluster.server(2).term = 70n;
  await cluster.run(clerk.put("k", "v"));
  for (const server of cluster.servers) server.follow(1);
  cluster.server(1).lead(1);

  await cluster.run(clerk.put("k", "w"));

  expect(cluster.server(1).commands).toHaveLength(1);
});

it("gets a write through when the cluster is without a leader for two seconds, with at most 40 requests per three servers", async () => {
  const three = new FakeCluster(3);
  const waiting = three.clerk();
  const put = waiting.put("k", "v");
  await three.advance(2_000);
  const asked = three.statusRequests;
  three.server(1).lead(1);

  await Promise.all([put, three.advance(500)]);

  expect(three.store.get("k")).toBe("v");
  expect(asked).toBeLessThanOrEqual(40);
  expect(asked).toBeGreaterThan(20);
  expect(three.commands).toBe(1);
  await three.close();
});

it("asks five servers no more often in total than three", async () => {
  cluster.server(2).follow(3);
  const put = clerk.put("k", "v");
  await cluster.advance(2_000);

  expect(cluster.statusRequests).toBeLessThanOrEqual(45);
  cluster.server(2).lead(4);
  await cluster.run(put);
});

it("asks nobody while nobody waits", async () => {
  await cluster.run(clerk.put("k", "v"));
  cluster.server(2).follow(4);
  const before = cluster.statusRequests;

  await cluster.advance(60_000);

  expect(cluster.statusRequests).toBe(before);
});

it("tells the leader, and finds it first when it is not known", async () => {
  expect(await cluster.run(clerk.leader())).toEqual({ term: 3, address: "10.0.0.3:5001" });
  expect(await clerk.leader()).toEqual({ term: 3, address: "10.0.0.3:5001" });
  expect(cluster.statusRequests).toBe(5);
});

it("shows every server's own view, with those that do not answer as Offline", async () => {
  cluster.server(0).manner = "silent";
  for (const id of [1, 3, 4]) cluster.server(id).manner = "refused";
  const before = cluster.clock.now();

  const rows = await cluster.run(
    clerk.status().then((list) => ({ list, ms: cluster.clock.now() - before })),
    200,
  );

  expect(rows.ms).toBeLessThan(150);
  expect(rows.list.map(({ state }) => state)).toEqual(["Offline", "Offline", "Leader", "Offline", "Offline"]);
  expect(rows.list[1]).toMatchObject({ address: "10.0.0.2:5001", term: 0, error: "connection refused" });
  expect(rows.list[2]).toMatchObject({ address: "10.0.0.3:5001", id: 2, term: 3, error: null });
});

it("tells of every change of leader and every retry", async () => {
  const events: ClerkEvent[] = [];
  clerk.onEvent((event) => events.push(event));
  await cluster.run(clerk.put("k", "v"));
  for (const id of [0, 1, 2, 3]) cluster.server(id).follow(4);
  cluster.server(4).lead(4);

  await cluster.run(clerk.put("k", "w"));

  const old = { term: 3, address: "10.0.0.3:5001" };
  expect(events.map(({ type }) => type)).toEqual([
    "servers.changed",
    "leader.changed",
    "leader.lost",
    "operation.retry",
    "leader.changed",
  ]);
  expect(events[2]).toEqual({ type: "leader.lost", leader: old, cause: "the server is not the leader" });
  expect(events[4]).toMatchObject({ leader: { term: 4 }, previous: old });
});

it("does not flood a server that says ErrWrongLeader while it claims to lead", async () => {
  cluster.server(2).err = "ErrWrongLeader";
  const put = clerk.put("k", "v");
  await cluster.advance(2_000);

  expect(cluster.commands).toBeLessThanOrEqual(20);
  cluster.server(2).err = null;
  await cluster.run(put);
});
