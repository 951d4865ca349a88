import type { Clock, KvHandler, RaftHandler, RaftPeer, Random } from "holdfast";
import { KvService } from "./kv/kv-service.js";
import { KvStore } from "./kv/kv-store.js";
import type { Disk } from "./raft/disk.js";
import { RaftNode } from "./raft/raft-node.js";
import type { RaftNodeOptions, RoleChange } from "./raft/raft-node-options.js";
import type { RaftTiming } from "./raft/raft-timing.js";

export interface KvNodeOptions {
  /** Position of this node in the cluster's address list. */
  readonly me: number;
  /** The others at their positions, null at `me`; as `createRaftPeers` makes them. The node does not close them. */
  readonly peers: readonly (RaftPeer | null)[];
  /** Where the log lives; the node closes it. */
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  /** Default eraft's: heartbeats every 125 ms, elections after 1,000 to 2,000 ms. */
  readonly timing?: Partial<RaftTiming>;
  /** How long a command may wait until it is applied, in ms. Default 500 (eraft's). */
  readonly executeTimeoutMs?: number;
  readonly onRole?: (change: RoleChange) => void;
  /** The node has stopped because it could not go on safely. Told once. */
  readonly onFatal?: (error: Error) => void;
  /** For tests that break a rule on purpose: a `KvStore`, empty, and a `RaftNode` of their own. */
  readonly store?: KvStore;
  readonly makeRaft?: (options: RaftNodeOptions) => RaftNode;
}

/** One node of the replicated key-value service: Raft, the store, and what clients ask of them. */
export class KvNode {
  /** For `addRaftService`. */
  readonly raft: RaftHandler;
  /** For `addKvService`. */
  readonly kv: KvHandler;
  /** Bytes of a record torn by the last crash, which were cut off; 0 when there was none. */
  readonly cutBytes: number;
  readonly #raft: RaftNode;

  /** @throws LogCorruptError when the log is damaged in a way that no crash explains */
  constructor(options: KvNodeOptions) {
    const { me, peers, disk, clock, random, timing, executeTimeoutMs } = options;
    const { makeRaft = (raftOptions) => new RaftNode(raftOptions), store = new KvStore() } = options;
    const raft = makeRaft({
      ...{ me, peers, disk, clock, random },
      ...(timing === undefined ? {} : { timing }),
      apply: (entry) => service.apply(entry),
      onRole: (change) => {
        if (change.role !== "Leader") service.leadershipLost();
        options.onRole?.(change);
      },
      onFatal: (error) => options.onFatal?.(error),
    });
    const limits = executeTimeoutMs === undefined ? {} : { executeTimeoutMs };
    const service = new KvService({ me, raft, store, clock, ...limits });
    this.#raft = raft;
    this.raft = raft;
    this.kv = service;
    this.cutBytes = raft.cutBytes;
  }

  /** Takes part from now on. Serve it first, or the first requests of the others fail. */
  start(): void {
    this.#raft.start();
  }

  /** Answers what waits with ErrTimeout, ends every timer, closes the disk. May be called again. */
  stop(): void {
    this.#raft.stop();
  }
}
