import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Clerk, Holdfast } from "holdfast";
import { stringify } from "yaml";
import {
  freePorts,
  ProcessFleet,
  type ProcessState,
  type ServerProcess,
} from "../../../scripts/servers/process-fleet.mjs";
import { Links } from "./links.js";
import { CLUSTER_TIMES } from "./times.js";

const START_LIMIT_MS = 60_000;
const POLL_MS = 50;
const NODE = fileURLToPath(new URL("../node.ts", import.meta.url));
/** `--import tsx` is looked up from here. */
const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));

/** A node of the cluster and what has been done to it. */
export interface DemoNode {
  readonly name: string;
  /** Where the client finds it: a proxy. */
  readonly address: string;
  readonly state: ProcessState;
  readonly isCutOff: boolean;
}

/** The nodes in processes of their own, a proxy on every link, and a Clerk set up from a file. */
export class DemoCluster {
  readonly clerk: Clerk;
  readonly #holdfast: Holdfast;
  readonly #fleet: ProcessFleet;
  readonly #links: Links;
  readonly #servers: readonly ServerProcess[];
  readonly #cutOff = new Set<number>();

  private constructor(
    fleet: ProcessFleet,
    links: Links,
    servers: readonly ServerProcess[],
    holdfast: Holdfast,
  ) {
    this.#fleet = fleet;
    this.#links = links;
    this.#servers = servers;
    this.#holdfast = holdfast;
    this.clerk = holdfast.clerk("kv");
  }

  /** Returns once a leader serves and all nodes follow it; `signal` gives that up, and nothing is left then. */
  static async start(nodes: number, sessions: number, signal: AbortSignal): Promise<DemoCluster> {
    const ports = await freePorts(nodes);
    const fleet = new ProcessFleet("holdfast-demo-");
    let links: Links | undefined;
    let cluster: DemoCluster | undefined;
    try {
      links = await Links.start(ports);
      const servers = ports.map((port, node) => addNode(fleet, links!, node, `127.0.0.1:${port}`));
      const config = { clerks: { kv: { servers: links.clientAddresses, insecure: true, sessions } } };
      const holdfast = await Holdfast.fromFile(writeConfig(fleet, "client", config));
      cluster = new DemoCluster(fleet, links, servers, holdfast);
      for (const server of servers) server.start();
      if ((await cluster.whole(START_LIMIT_MS, signal)) === undefined)
        throw new Error(`the cluster has no leader after ${START_LIMIT_MS} ms:\n${cluster.#logs()}`);
      return cluster;
    } catch (error) {
      await (cluster?.stop() ?? Promise.all([fleet.stop(), links?.close()]));
      throw error;
    }
  }

  get nodes(): readonly DemoNode[] {
    return this.#servers.map((server, node) => ({
      name: server.name,
      address: this.#links.clientAddresses[node]!,
      state: server.state,
      isCutOff: this.#cutOff.has(node),
    }));
  }

  nameOf(address: string): string {
    return this.nodes.find((node) => node.address === address)?.name ?? address;
  }

  /**
   * Waits until every node answers in the same term, one of them leads, and the others have applied all that was committed
   * when they were asked before.
   * @returns the number of the leader, from 0 on; undefined when that took longer than the limit
   * @throws when a node has ended by itself
   */
  async whole(limitMs: number, signal: AbortSignal): Promise<number | undefined> {
    const giveUpAt = performance.now() + limitMs;
    let committed = Number.POSITIVE_INFINITY;
    while (performance.now() < giveUpAt) {
      this.#throwIfOneEnded();
      const statuses = await this.clerk.status();
      signal.throwIfAborted();
      const leaders = statuses.filter(({ state }) => state === "Leader");
      const isOneTerm = statuses.every(
        ({ state, term }) => state !== "Offline" && term === statuses[0]!.term,
      );
      if (isOneTerm && leaders.length === 1) {
        if (statuses.every(({ lastApplied }) => lastApplied >= committed)) return leaders[0]!.id;
        committed = Math.min(committed, leaders[0]!.commitIndex);
      }
      await sleep(POLL_MS, undefined, { signal });
    }
    return undefined;
  }

  kill(node: number): Promise<void> {
    return this.#servers[node]!.kill();
  }

  restart(node: number): void {
    this.#servers[node]!.start();
  }

  freeze(node: number): void {
    this.#servers[node]!.freeze();
  }

  thaw(node: number): void {
    this.#servers[node]!.thaw();
  }

  async cutOff(node: number, fromClientToo: boolean): Promise<void> {
    this.#cutOff.add(node);
    await this.#links.cutOff(node, fromClientToo);
  }

  async heal(): Promise<void> {
    await this.#links.heal();
    this.#cutOff.clear();
  }

  /** Nodes first: calls that hang on a frozen one then end, and no close has to wait for them. */
  async stop(): Promise<void> {
    try {
      await this.#fleet.stop();
    } finally {
      await this.#holdfast.close({ drainMs: 0 });
      await this.#links.close();
    }
  }

  #throwIfOneEnded(): void {
    const ended = this.#servers.find((server) => server.state === "exited");
    if (ended !== undefined) throw new Error(`${ended.name} ended by itself:\n${ended.logTail()}`);
  }

  #logs(): string {
    return this.#servers.map((server) => `${server.name}:\n${server.logTail()}`).join("\n");
  }
}

function addNode(fleet: ProcessFleet, links: Links, node: number, address: string): ServerProcess {
  const name = `node-${node + 1}`;
  const data = join(fleet.folder, name);
  mkdirSync(data);
  const peers = { kv: { addresses: links.peerAddresses(node, address), insecure: true } };
  const config = writeConfig(fleet, name, { raftPeers: peers });
  const args = ["--import", "tsx", NODE, "--config", config, "--me", String(node), "--listen", address];
  args.push("--data", data, ...Object.entries(CLUSTER_TIMES).flatMap(([flag, ms]) => [flag, String(ms)]));
  return fleet.add({ name, command: process.execPath, args, cwd: PROJECT, env: process.env });
}

/** Beside the logs and data of the nodes, so that it goes with them. */
function writeConfig(fleet: ProcessFleet, name: string, config: object): string {
  const path = join(fleet.folder, `${name}.holdfast.yaml`);
  writeFileSync(path, stringify(config));
  return path;
}
