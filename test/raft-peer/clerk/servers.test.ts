import { afterEach, beforeEach, expect, it } from "vitest";
import type { Endpoint } from "../../../src/core/index.js";
import { KvClerk } from "../../../src/raft-peer/clerk/kv-clerk.js";
import type { ServerDiscovery, ServersListener } from "../../../src/raft-peer/clerk/server-discovery.js";
import { clerkOptionsSchema } from "../../../src/raft-peer/index.js";
import { SeededRandom } from "../../support/seeded-random.js";
import { FakeCluster } from "./fake-cluster.js";

/** Servers as a test says them. */
class ScriptedDiscovery implements ServerDiscovery {
  #listener: ServersListener | null = null;
  refreshes = 0;
  isClosed = false;

  start(listener: ServersListener): void {
    this.#listener = listener;
  }

  say(addresses: readonly string[]): void {
    this.#listener?.onServers(addresses.map((address): Endpoint => ({ address })));
  }

  fail(text: string): void {
    this.#listener?.onDiscoveryError(text);
  }

  refresh(): void {
    this.refreshes += 1;
  }

  close(): void {
    this.isClosed = true;
  }
}

let cluster: FakeCluster;
let discovery: ScriptedDiscovery;
let clerk: KvClerk;

beforeEach(() => {
  cluster = new FakeCluster(5);
  discovery = new ScriptedDiscovery();
  let id = 0n;
  clerk = new KvClerk(clerkOptionsSchema.parse({ target: "dns:///kv:5001", timeoutMs: 2_000 }), {
    clock: cluster.clock,
    random: new SeededRandom(1),
    discovery,
    connect: ({ address }) => cluster.connect(address, []),
    newClientId: () => ++id,
  });
});

afterEach(async () => {
  const closing = clerk.close({ drainMs: 0 });
  await cluster.advance(1);
  await closing;
  expect(cluster.clock.pendingTimers).toBe(0);
  expect(cluster.linksClosed).toBe(cluster.linksMade);
  expect(discovery.isClosed).toBe(true);
});

const first = (count: number): string[] => cluster.addresses.slice(0, count);

it("waits for the first answer of discovery", async () => {
  cluster.server(1).lead(1);
  const put = clerk.put("k", "v");
  await cluster.advance(500);
  expect(cluster.linksMade).toBe(0);
  discovery.say(first(3));

  await cluster.run(put);

  expect(cluster.store.get("k")).toBe("v");
});

it("shows the servers' status once discovery has named them", async () => {
  cluster.server(1).lead(1);
  const status = clerk.status();
  discovery.say(first(3));

  const rows = await cluster.run(status);

  expect(rows.map(({ state }) => state)).toEqual(["Follower", "Leader", "Follower"]);
});

it("says why no server is known", async () => {
  const put = clerk.put("k", "v").catch((error: unknown) => error);
  discovery.fail("no such host kv");

  const error = await cluster.run(put, 3_000);

  expect(error).toMatchObject({ reason: "DISCOVERY_FAILED", processed: "no" });
  expect((error as Error).message).toContain(
    "no server is known after 2000 ms and 0 attempts (no such host kv)",
  );
});

it("follows the cluster to new addresses in the middle of a write, with the same ids", async () => {
  cluster.server(0).lead(1);
  discovery.say([]);
  const started = clerk.put("a", "1");
  discovery.say(first(3));
  await cluster.run(started);
  cluster.server(0).losesAnswers = true;
  for (const server of cluster.servers.slice(1, 3)) server.manner = "silent";
  const append = clerk.append("a", "2");
  await cluster.advance(400);
  cluster.server(4).lead(2);
  discovery.say(cluster.addresses.slice(2));

  await cluster.run(append);

  expect(cluster.store.get("a")).toBe("12");
  expect(cluster.server(4).commands.map(({ commandId }) => commandId)).toEqual([
    cluster.server(0).commands.at(-1)?.commandId,
  ]);
});

it("keeps the link of a server that stays, and closes that of one that left when its commands have ended", async () => {
  cluster.server(0).lead(1);
  discovery.say(first(3));
  const warm = clerk.put("a", "0");
  discovery.say(first(3));
  await cluster.run(warm);
  cluster.server(0).losesAnswers = true;
  const put = clerk.put("a", "1");
  await cluster.advance(1);

  discovery.say(cluster.addresses.slice(1, 4));
  const closedMeanwhile = cluster.linksClosed;
  cluster.server(1).lead(2);
  await cluster.run(put);

  expect(closedMeanwhile).toBe(0);
  expect(cluster.linksMade).toBe(4);
  expect(cluster.linksClosed).toBe(1);
});

it("forgets a leader that left the set", async () => {
  cluster.server(0).lead(1);
  const warm = clerk.put("a", "0");
  discovery.say(first(3));
  await cluster.run(warm);
  cluster.server(0).follow(2);
  cluster.server(2).lead(2);

  discovery.say(cluster.addresses.slice(1, 4));

  expect(clerk.stats().leader).toBeNull();
  expect(await cluster.run(clerk.leader())).toEqual({ term: 2, address: "10.0.0.3:5001" });
});

it("goes on with the other servers when one cannot even be connected to", async () => {
  const broken = new KvClerk(clerkOptionsSchema.parse({ target: "dns:///kv:5001" }), {
    clock: cluster.clock,
    random: new SeededRandom(1),
    discovery,
    connect: ({ address }) => {
      if (address === cluster.addresses[0]) throw new Error("no credentials for this one");
      return cluster.connect(address, []);
    },
    newClientId: () => 1n,
  });
  cluster.server(1).lead(1);
  const put = broken.put("k", "v");
  discovery.say(first(3));

  await cluster.run(put);

  expect((await cluster.run(broken.status()))[0]).toMatchObject({
    state: "Offline",
    error: expect.stringContaining("no credentials for this one"),
  });
  await cluster.run(broken.close());
});

it("asks discovery again while nobody of the servers it knows leads", async () => {
  const put = clerk.put("a", "0").catch(() => {});
  discovery.say(first(3));

  await cluster.run(put, 3_000);

  expect(discovery.refreshes).toBeGreaterThan(3);
});
