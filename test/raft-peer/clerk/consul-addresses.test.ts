import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type ConsulAgent, startConsul } from "../../../scripts/consul-cluster.mjs";
import { addKvService, type Clerk, createClerk, type KvHandler } from "../../../src/raft-peer/index.js";
import { mustSkipConsul, whyNoConsul } from "../../support/consul-agent.js";
import { ConsulApi, ttlCheck } from "../../support/consul-api.js";
import { until } from "../../support/event-loop.js";
import { type LeakBaseline, leakBaseline } from "../../support/leak-check.js";

type Command = Parameters<KvHandler["command"]>[0];
const SERVICE = "kv";
const NEVER = new Promise<never>(() => {});

/** What the cluster has agreed on, by eraft's duplicate rule. */
class SharedStore {
  readonly values = new Map<string, string>();
  /** How often each write was applied, by its ids. */
  readonly applied = new Map<string, number>();
  /** Ids of every write that arrived anywhere, in order. */
  readonly received: string[] = [];
  readonly #highest = new Map<bigint, bigint>();

  apply({ key, value, op, clientId, commandId }: Command) {
    const old = this.values.get(key);
    if (op === "get") return old === undefined ? { err: "ErrNoKey", value: "" } : { err: "OK", value: old };
    const ids = `${clientId}/${commandId}`;
    this.received.push(ids);
    if ((this.#highest.get(clientId) ?? -1n) >= commandId) return { err: "OK", value: "" };
    this.#highest.set(clientId, commandId);
    this.applied.set(ids, (this.applied.get(ids) ?? 0) + 1);
    this.values.set(key, op === "append" ? (old ?? "") + value : value);
    return { err: "OK", value: "" };
  }
}

/** A server at one address. */
interface Life {
  readonly server: Server;
  /** Applies commands, and loses the answers. */
  losesAnswers: boolean;
  lost: number;
}

/** A server of the cluster, which may move to another address and stays the same server. */
class Node {
  isLeader = false;
  term = 1;
  /** Commands that it refused, as it does not lead. */
  refused = 0;
  #life: Life | null = null;
  #port = 0;

  /** @param id what it says of itself, which tells nothing about its place in any list */
  constructor(
    readonly id: number,
    private readonly store: SharedStore,
    private readonly api: ConsulApi,
  ) {}

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Listens on a port of its own, and takes its place in Consul. */
  async start(): Promise<void> {
    const life = { server: new Server(), losesAnswers: false, lost: 0 };
    addKvService(life.server, this.#handlerOf(life));
    this.#port = await new Promise((resolve, reject) => {
      life.server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
    this.#life = life;
    const ID = `${SERVICE}-${this.id}`;
    const Check = ttlCheck(`service:${ID}`);
    await this.api.register({ Name: SERVICE, ID, Address: "127.0.0.1", Port: this.#port, Check });
  }

  /** Applies commands from now on and loses the answers; resolves when it has lost one. */
  async loseAnswers(): Promise<void> {
    const life = this.#life as Life;
    life.losesAnswers = true;
    await until(() => life.lost > 0, "a lost answer");
  }

  /** Starts again elsewhere under the same name; what ran at the old address is cut off. */
  async move(): Promise<void> {
    const old = this.#life as Life;
    await this.start();
    old.server.forceShutdown();
  }

  stop(): void {
    this.#life?.server.forceShutdown();
  }

  #handlerOf(life: Life): KvHandler {
    return {
      command: (request) => {
        if (!this.isLeader) {
          this.refused += 1;
          return { err: "ErrWrongLeader", value: "" };
        }
        const answer = this.store.apply(request);
        if (!life.losesAnswers) return answer;
        life.lost += 1;
        return NEVER;
      },
      status: () => ({
        id: this.id,
        state: this.isLeader ? "Leader" : "Follower",
        term: this.term,
        lastApplied: this.store.applied.size,
        commitIndex: this.store.applied.size,
        storageBytes: 0,
      }),
    };
  }
}

let leaks: LeakBaseline;
let consul: ConsulAgent;
let store: SharedStore;
let nodes: Node[];
let clerk: Clerk;

beforeEach(async () => {
  leaks = await leakBaseline({ process });
  if (mustSkipConsul) return;
  consul = await startConsul();
  const api = new ConsulApi(consul);
  store = new SharedStore();
  nodes = [7, 3, 5].map((id) => new Node(id, store, api));
  await Promise.all(nodes.map((node) => node.start()));
  clerk = createClerk({
    target: `consul://${consul.httpAddress}/${SERVICE}`,
    insecure: true,
    // Longer than any answer takes on a busy machine: what is sent again was cut off.
    attemptTimeoutMs: 5_000,
    channel: { discovery: { minIntervalMs: 50 } },
  });
});

afterEach(async () => {
  if (mustSkipConsul) return;
  await clerk.close();
  for (const node of nodes) node.stop();
  await consul.stop();
  await leaks.expectClean();
});

function elect(leader: Node, term: number): void {
  for (const node of nodes) {
    node.isLeader = node === leader;
    node.term = term;
  }
}

const known = (): string[] => clerk.stats().servers.map(({ address }) => address);

it.skipIf(mustSkipConsul)(
  `sends a write that was cut off to the leader's new address, with the same ids, and it counts once (G34)${whyNoConsul}`,
  async () => {
    const leader = nodes[0] as Node;
    elect(leader, 1);
    await clerk.append("k", "a");
    const lost = leader.loseAnswers();
    const append = clerk.append("k", "b");
    await lost;

    await leader.move();
    await append;

    expect(store.values.get("k")).toBe("ab");
    const [, first, ...again] = store.received;
    expect(again.length).toBeGreaterThan(0);
    expect(new Set(again)).toEqual(new Set([first]));
    expect(clerk.stats().leader).toEqual({ term: 1, address: leader.address });
  },
);

it.skipIf(mustSkipConsul)(
  `knows the leader by its address, wherever the list that changes has it (G34)${whyNoConsul}`,
  async () => {
    const [leader, other, another] = nodes as [Node, Node, Node];
    elect(leader, 1);
    await clerk.put("k", "0");
    const refusedBefore = nodes.map(({ refused }) => refused);
    const places = new Set<number>();

    for (const node of [other, another, other]) {
      await node.move();
      await until(() => known().includes(node.address), "the new address");
      await clerk.append("k", "1");
      places.add(known().indexOf(leader.address));
    }

    expect(places.size).toBeGreaterThan(1);
    expect(store.values.get("k")).toBe("0111");
    expect(nodes.map(({ refused }) => refused)).toEqual(refusedBefore);
    expect(clerk.stats()).toMatchObject({ retries: 0, leader: { term: 1, address: leader.address } });
    expect(known().sort()).toEqual(nodes.map(({ address }) => address).sort());
  },
);

it.skipIf(mustSkipConsul)(
  `loses and doubles no write while every server moves and the lead changes hands (G34)${whyNoConsul}`,
  async () => {
    elect(nodes[0] as Node, 1);
    let isOver = false;
    let written = 0;
    const write = async (): Promise<void> => {
      while (!isOver) await clerk.append("log", `${written++};`);
    };
    const writing = Promise.all(Array.from({ length: 4 }, write));
    writing.catch(() => {});
    const more = async (): Promise<void> => {
      const goal = written + 20;
      await until(() => written >= goal, "20 more writes");
    };

    await more();
    for (const [at, node] of nodes.entries()) {
      await node.loseAnswers();
      await node.move();
      await more();
      elect(nodes[(at + 1) % nodes.length] as Node, at + 2);
      await more();
    }
    isOver = true;
    await writing;

    const tokens = (store.values.get("log") ?? "").split(";").slice(0, -1).map(Number);
    expect(tokens.length).toBe(written);
    expect(tokens.sort((a, b) => a - b)).toEqual(Array.from({ length: written }, (_, index) => index));
    expect(new Set(store.applied.values())).toEqual(new Set([1]));
    expect(store.applied.size).toBe(written);
    // Some were sent again, or nothing was shown.
    expect(store.received.length).toBeGreaterThan(written);
  },
  30_000,
);
