/** Types of `server-cluster.mjs`. */
import type { ServerNode } from "./server-node.mjs";

export interface ServerCluster<Node extends ServerNode> {
  readonly nodes: readonly Node[];
  /** The temporary folder with data and logs. */
  readonly folder: string;
  /** The node that leads now, waited for. */
  waitForLeader(timeoutMs?: number): Promise<Node>;
  /** Kills what it started, frozen nodes too, and removes the folder. Safe to call twice. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** How long the start may take; default 30,000. */
  readonly timeoutMs?: number;
  /** Gives the start up; later it does nothing. */
  readonly signal?: AbortSignal;
}
