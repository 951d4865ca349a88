/** Types of `etcd-cluster.mjs`, which stays plain JavaScript so that it runs on a machine with nothing but Node. */
import type { ServerCluster, StartOptions } from "./servers/server-cluster.mjs";
import type { ServerNode } from "./servers/server-node.mjs";

export interface EtcdNode extends ServerNode {
  /** Maintenance.Status as the JSON gateway gives it: 64-bit numbers are text. */
  status(): Promise<{ leader?: string; raftIndex: string; header: { member_id: string } }>;
}

export interface EtcdCluster extends ServerCluster<EtcdNode> {
  readonly kind: "etcd";
  /** Waits until a restarted node is healthy and has applied what the leader had. */
  waitInSync(node: EtcdNode, timeoutMs?: number): Promise<void>;
}

/** Full path of `etcd` on PATH, or undefined. */
export function findEtcd(): string | undefined;

/** Starts three nodes on free loopback ports; returns once all serve and one leads. */
export function startEtcdCluster(options?: StartOptions): Promise<EtcdCluster>;
