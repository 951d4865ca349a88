import { afterEach, beforeEach, expect, it } from "vitest";
import type { Clerk } from "../../../src/raft-peer/index.js";
import { FakeCluster } from "./fake-cluster.js";

let cluster: FakeCluster;
let clerk: Clerk;

beforeEach(() => {
  cluster = new FakeCluster();
  cluster.server(0).lead(1);
  clerk = cluster.clerk({ sessions: 4 });
});

afterEach(async () => {
  await cluster.close();
  expect(cluster.clock.pendingTimers).toBe(0);
});

it("tells a missing key from an empty value", async () => {
  expect(await cluster.run(clerk.get("k"))).toBeUndefined();

  await cluster.run(clerk.put("k", ""));

  expect(await cluster.run(clerk.get("k"))).toBe("");
});

it("puts, appends and reads text of every kind", async () => {
  await cluster.run(clerk.put("schlüssel", "é"));
  await cluster.run(clerk.append("schlüssel", "中\u0000"));

  expect(await cluster.run(clerk.get("schlüssel"))).toBe("é中\u0000");
});

it("applies an append once although its answer is lost", async () => {
  cluster.server(0).losesAnswers = true;
  const append = clerk.append("k", "x");
  await cluster.advance(800);
  cluster.server(0).losesAnswers = false;

  await cluster.run(append, 2_000);

  const ids = cluster.server(0).commands.map(({ clientId, commandId }) => `${clientId}/${commandId}`);
  expect(ids.length).toBeGreaterThan(1);
  expect(new Set(ids).size).toBe(1);
  expect(cluster.store.get("k")).toBe("x");
});

it("sends the same ids on every attempt when the server says ErrTimeout", async () => {
  cluster.server(0).err = "ErrTimeout";
  const put = clerk.put("k", "v");
  await cluster.advance(300);
  cluster.server(0).err = null;

  await cluster.run(put);

  const ids = cluster.server(0).commands.map(({ commandId }) => commandId);
  expect(ids.length).toBeGreaterThan(1);
  expect(new Set(ids)).toEqual(new Set([0n]));
  expect([...cluster.applied.values()]).toEqual([1]);
});

it("gives every write of a session a higher id than the one before", async () => {
  const one = cluster.clerk({ sessions: 1 });
  for (const value of ["a", "b", "c"]) await cluster.run(one.append("k", value), 300);

  const { commands } = cluster.server(0);
  expect(commands.map(({ commandId }) => commandId)).toEqual([0n, 1n, 2n]);
  expect(new Set(commands.map(({ clientId }) => clientId)).size).toBe(1);
});

it("has one write of a session outstanding, the others wait in order", async () => {
  const one = cluster.clerk({ sessions: 1 });
  const writes = ["a", "b", "c"].map((value) => one.append("k", value));
  // A round to find the leader and the way there; the answer to the first command is still to come.
  await cluster.advance(3);

  expect(cluster.commands).toBe(1);
  expect(one.stats().operations).toMatchObject({ inFlight: 3, queued: 2 });
  await cluster.run(Promise.all(writes));
  expect(cluster.store.get("k")).toBe("abc");
});

it("runs as many writes at once as it has sessions", async () => {
  const writes = Array.from({ length: 6 }, (_, index) => clerk.append(`k${index}`, "x"));
  await cluster.advance(3);

  expect(cluster.commands).toBe(4);
  expect(new Set(cluster.server(0).commands.map(({ clientId }) => clientId)).size).toBe(4);
  await cluster.run(Promise.all(writes));
});

it("reads do not wait for sessions", async () => {
  const writes = Array.from({ length: 9 }, () => clerk.append("k", "x"));
  const reads = Array.from({ length: 5 }, () => clerk.get("k"));
  await cluster.advance(3);

  expect(cluster.commands).toBe(4 + 5);
  await cluster.run(Promise.all([...writes, ...reads]));
});

it("says that the outcome of a write is unknown, with its ids, and never uses them again", async () => {
  const one = cluster.clerk({ sessions: 1, timeoutMs: 1_000 });
  cluster.server(0).losesAnswers = true;
  const lost = cluster.run(one.append("k", "x"), 2_000).catch((error: unknown) => error);

  const error = await lost;

  expect(error).toMatchObject({
    reason: "OUTCOME_UNKNOWN",
    processed: "maybe",
    command: { clientId: expect.any(BigInt), commandId: 0n },
    message: expect.stringContaining("may have been applied, at most once"),
  });
  expect(JSON.parse(JSON.stringify(error))).toMatchObject({ command: { commandId: "0" } });
  cluster.server(0).losesAnswers = false;
  await cluster.run(one.append("k", "y"));
  expect(cluster.server(0).commands.at(-1)?.commandId).toBe(1n);
  expect(cluster.store.get("k")).toBe("xy");
});

it("takes a new id after a write that was never sent, too", async () => {
  const one = cluster.clerk({ sessions: 1, timeoutMs: 500 });
  for (const server of cluster.servers) server.manner = "refused";
  await expect(cluster.run(one.put("k", "v"))).rejects.toMatchObject({
    reason: "NOT_LEADER",
    processed: "no",
  });
  for (const server of cluster.servers) server.manner = "up";

  await cluster.run(one.put("k", "w"));

  expect(cluster.server(0).commands.map(({ commandId, value }) => [commandId, value])).toEqual([[1n, "w"]]);
});

it("applies 1,000 concurrent appends exactly once while every third answer is lost", async () => {
  const [leader] = cluster.servers;
  let count = 0;
  const command = leader!.command.bind(leader);
  leader!.command = (request) => {
    leader!.losesAnswers = ++count % 3 === 0;
    return command(request);
  };
  const sessions = cluster.clerk({ sessions: 16, timeoutMs: 600_000, attemptTimeoutMs: 100 });
  const appends = Array.from({ length: 1_000 }, (_, index) => sessions.append("log", `${index};`));

  await cluster.run(Promise.all(appends), 60_000);

  const tokens = (cluster.store.get("log") ?? "").split(";").slice(0, -1);
  expect(tokens.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
  expect(new Set(cluster.applied.values())).toEqual(new Set([1]));
  expect(sessions.stats().retries).toBeGreaterThan(300);
}, 60_000);

it("carries ids of 62 bits exactly", async () => {
  await cluster.run(clerk.put("k", "v"));

  const [sent] = cluster.server(0).commands;
  expect(sent!.clientId).toBeGreaterThan(2n ** 62n - 10n);
});
