import { findEtcd, startEtcdCluster } from "../../scripts/etcd-cluster.mjs";
import type { ProcessState } from "../../scripts/servers/process-fleet.mjs";
import { startOwnCluster } from "./own-cluster.js";

/** A server that can be hurt. */
export interface ClusterNode {
  readonly name: string;
  readonly address: string;
  readonly state: ProcessState;
  kill(): Promise<void>;
  restart(): void;
  freeze(): void;
  thaw(): void;
}

/** Three servers, real etcd or our own. */
export interface Cluster {
  readonly kind: "etcd" | "own";
  readonly nodes: readonly ClusterNode[];
  /** The node that leads, waited for; undefined where there is no such thing. */
  findLeader(): Promise<ClusterNode | undefined>;
  /** Waits until a restarted node serves again and, with etcd, has caught up with the leader. */
  waitRejoined(node: ClusterNode): Promise<void>;
  stop(): Promise<void>;
}

export type ServerChoice = "etcd" | "own" | "auto";

/** Etcd when it is installed, else our own servers, unless one of them is insisted on. */
export function resolveServers(choice: ServerChoice): "etcd" | "own" {
  if (choice !== "auto") return choice;
  return findEtcd() === undefined ? "own" : "etcd";
}

/** Returns once all three serve; `signal` gives that up, and nothing is left then. */
export async function startCluster(kind: "etcd" | "own", signal: AbortSignal): Promise<Cluster> {
  return kind === "etcd" ? startEtcd(signal) : startOwnCluster(signal);
}

async function startEtcd(signal: AbortSignal): Promise<Cluster> {
  const etcd = await startEtcdCluster({ signal });
  return {
    kind: "etcd",
    nodes: etcd.nodes,
    findLeader: () => etcd.waitForLeader(),
    waitRejoined: (node) => etcd.waitInSync(etcd.nodes.find((each) => each.name === node.name)!),
    stop: () => etcd.stop(),
  };
}
