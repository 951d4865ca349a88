import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, it } from "vitest";
import { addKvService, type Clerk, createClerk, type KvHandler } from "../../src/raft-peer/index.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { type LeakBaseline, leakBaseline } from "../support/leak-check.js";

/** A node that leads when told so; all nodes share one store with eraft's duplicate rule. */
class Node {
  term = 1;
  isLeader = false;
  readonly server = new Server();
  port = 0;

  constructor(
    readonly id: number,
    private readonly store: SharedStore,
  ) {}

  async start(services: "kv" | "none" = "kv"): Promise<void> {
    if (services === "kv") addKvService(this.server, this.#handler);
    this.port = await new Promise((resolve, reject) => {
      this.server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
  }

  readonly #handler: KvHandler = {
    command: (request) => (this.isLeader ? this.store.apply(request) : { err: "ErrWrongLeader", value: "" }),
    status: () => ({
      id: this.id,
      state: this.isLeader ? "Leader" : "Follower",
      term: this.term,
      lastApplied: this.store.writes,
      commitIndex: this.store.writes,
      storageBytes: 0,
    }),
  };
}

class SharedStore {
  readonly values = new Map<string, string>();
  readonly #highest = new Map<bigint, bigint>();
  writes = 0;

  apply({ key, value, op, clientId, commandId }: Parameters<KvHandler["command"]>[0]) {
    const old = this.values.get(key);
    if (op === "get") return old === undefined ? { err: "ErrNoKey", value: "" } : { err: "OK", value: old };
    if ((this.#highest.get(clientId) ?? -1n) < commandId) {
      this.#highest.set(clientId, commandId);
      this.values.set(key, op === "append" ? (old ?? "") + value : value);
      this.writes += 1;
    }
    return { err: "OK", value: "" };
  }
}

let store: SharedStore;
let nodes: Node[];
let proxies: FaultProxy[];
let clerk: Clerk;
let leaks: LeakBaseline;

beforeEach(async () => {
  leaks = await leakBaseline({ process });
  store = new SharedStore();
  nodes = [0, 1, 2].map((id) => new Node(id, store));
  proxies = [];
});

afterEach(async () => {
  await clerk.close();
  await Promise.all(proxies.map((proxy) => proxy.close()));
  for (const { server } of nodes) server.forceShutdown();
  await leaks.expectClean();
});

async function start(services: "kv" | "none" = "kv"): Promise<void> {
  await Promise.all(nodes.map((node) => node.start(services)));
  proxies = await Promise.all(nodes.map(({ port }) => FaultProxy.start(port)));
  const servers = proxies.map(({ address }) => address);
  clerk = createClerk({ servers, insecure: true, timeoutMs: 10_000 });
}

function elect(id: number, term: number): void {
  for (const node of nodes) {
    node.isLeader = node.id === id;
    if (node.isLeader) node.term = term;
  }
}

it("reads and writes through the leader of a cluster on sockets", async () => {
  await start();
  elect(1, 1);

  await clerk.put("k", "");
  await clerk.append("k", "é");

  expect(await clerk.get("k")).toBe("é");
  expect(await clerk.get("none")).toBeUndefined();
  expect(await clerk.leader()).toEqual({ term: 1, address: proxies[1]?.address });
  expect(clerk.stats().servers.map(({ address }) => address)).toEqual(proxies.map(({ address }) => address));
});

it("moves a write to the new leader while the old one is behind a black hole", async () => {
  await start();
  elect(0, 1);
  await clerk.append("k", "a");
  await proxies[0]?.blackHole();
  const append = clerk.append("k", "b");
  elect(2, 2);

  await append;

  expect(store.values.get("k")).toBe("ab");
  expect(clerk.stats().leader).toEqual({ term: 2, address: proxies[2]?.address });
});

it("applies a write once although its answers are lost", async () => {
  await start();
  elect(0, 1);
  await clerk.append("k", "a");
  await proxies[0]?.dropAnswers();
  const append = clerk.append("k", "b");
  while (store.writes < 2) await new Promise((resolve) => setImmediate(resolve));
  elect(1, 2);

  await append;

  expect(store.values.get("k")).toBe("ab");
});

it("carries the largest value it allows", async () => {
  await start();
  elect(0, 1);

  await clerk.put("k", "x".repeat(1024 * 1024));

  expect((await clerk.get("k"))?.length).toBe(1024 * 1024);
});

it("ends at once on servers that lack the service", async () => {
  await start("none");

  await expect(clerk.put("k", "v")).rejects.toMatchObject({ reason: "REMOTE", code: 12, processed: "no" });
});

it("shows a server that is down as Offline", async () => {
  await start();
  elect(1, 7);
  await proxies[0]?.refuse();

  const rows = await clerk.status({ timeoutMs: 5_000 });

  expect(rows.map(({ state, term }) => [state, term])).toEqual([
    ["Offline", 0],
    ["Leader", 7],
    ["Follower", 1],
  ]);
});
