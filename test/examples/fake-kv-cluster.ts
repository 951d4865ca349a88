import { promisify } from "node:util";
import { Server, ServerCredentials, type sendUnaryData } from "@grpc/grpc-js";
import * as kv from "../../src/gen/kvraftpb/kvraft.js";

/** How the leader of a `FakeKvCluster` answers a command: as a leader does, not at all, or with this text as `err`. */
export type LeaderMood = "answers" | "is silent" | { readonly err: string };

/**
 * Three addresses of eraft's KVService: a follower, the leader, and one where nobody listens. One store, no Raft; the
 * numbers of GetStatus are made up.
 */
export class FakeKvCluster implements AsyncDisposable {
  readonly store = new Map<string, string>();
  /** Commands that reached the leader. */
  readonly commands: kv.CommandRequest[] = [];
  readonly #servers: Server[] = [];
  addresses: readonly string[] = [];
  mood: LeaderMood = "answers";

  static async start(): Promise<FakeKvCluster> {
    const cluster = new FakeKvCluster();
    const follower = await cluster.#serve(0, "Follower");
    const leader = await cluster.#serve(1, "Leader");
    cluster.addresses = [follower, leader, await deadAddress()];
    return cluster;
  }

  get servers(): string {
    return this.addresses.join(",");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) server.forceShutdown();
  }

  async #serve(id: number, state: "Leader" | "Follower"): Promise<string> {
    const server = new Server();
    this.#servers.push(server);
    server.addService(kv.KVServiceService, {
      command: ({ request }, answer) => {
        if (state === "Leader") this.#lead(request, answer);
        else answer(null, { err: "ErrWrongLeader", value: "" });
      },
      getStatus: (_call, answer) => answer(null, statusOf(id, state)),
    } satisfies kv.KVServiceServer);
    return `127.0.0.1:${await bind(server)}`;
  }

  #lead(request: kv.CommandRequest, answer: sendUnaryData<kv.CommandResponse>): void {
    this.commands.push(request);
    if (this.mood === "is silent") return;
    if (this.mood !== "answers") {
      answer(null, { err: this.mood.err, value: "" });
      return;
    }
    const { key, value, op } = request;
    const old = this.store.get(key);
    if (op === kv.Op.PUT) this.store.set(key, value);
    if (op === kv.Op.APPEND) this.store.set(key, (old ?? "") + value);
    const isMissing = op === kv.Op.GET && old === undefined;
    answer(null, { err: isMissing ? "ErrNoKey" : "OK", value: op === kv.Op.GET ? (old ?? "") : "" });
  }
}

/** An address where nobody listens. */
export async function deadAddress(): Promise<string> {
  const server = new Server();
  const port = await bind(server);
  server.forceShutdown();
  return `127.0.0.1:${port}`;
}

function bind(server: Server): Promise<number> {
  return promisify(server.bindAsync.bind(server))("127.0.0.1:0", ServerCredentials.createInsecure());
}

function statusOf(id: number, state: string): kv.GetStatusResponse {
  return {
    id: BigInt(id),
    state,
    term: 7n,
    lastApplied: 1_041n,
    commitIndex: 1_042n,
    storageSize: BigInt(id + 1) * 65_536n,
  };
}
