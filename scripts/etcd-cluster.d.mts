/** Types of `etcd-cluster.mjs`, which stays plain JavaScript so that it runs on a machine with nothing but Node. */
import type { ProcessState } from "./servers/process-fleet.mjs";

export interface EtcdNode {
  readonly name: string;
  /** `127.0.0.1:port` of its client API. */
  readonly address: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  readonly state: ProcessState;
  /** SIGKILL; resolves once the process is gone. */
  kill(): Promise<void>;
  /** Starts it again with the same ports and data. */
  restart(): void;
  /** SIGSTOP. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** Maintenance.Status as the JSON gateway gives it: 64-bit numbers are text. */
  status(): Promise<{ leader?: string; raftIndex: string; header: { member_id: string } }>;
  isLeader(): Promise<boolean>;
  /** Waits until it answers a linearizable read. */
  waitReady(timeoutMs?: number): Promise<void>;
}

export interface EtcdCluster {
  readonly kind: "etcd";
  readonly nodes: readonly EtcdNode[];
  /** The temporary folder with data and logs. */
  readonly folder: string;
  waitForLeader(timeoutMs?: number): Promise<EtcdNode>;
  /** Waits until a restarted node is healthy and has applied what the leader had. */
  waitInSync(node: EtcdNode, timeoutMs?: number): Promise<void>;
  /** Kills what it started, frozen nodes too, and removes the folder. Safe to call twice. */
  stop(): Promise<void>;
}

/** Full path of `etcd` on PATH, or undefined. */
export function findEtcd(): string | undefined;

/** Starts three nodes on free loopback ports; returns once all serve and one leads. `signal` gives the start up. */
export function startEtcdCluster(options?: {
  timeoutMs?: number;
  signal?: AbortSignal;
}): Promise<EtcdCluster>;
