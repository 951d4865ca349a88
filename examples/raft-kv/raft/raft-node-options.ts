import type { Clock, LogEntry, RaftPeer, Random } from "holdfast";
import type { Disk } from "./disk.js";
import type { RaftTiming } from "./raft-timing.js";

export type RoleName = "Follower" | "Candidate" | "Leader";

/** What a node has become, and the term it is so in. */
export interface RoleChange {
  readonly role: RoleName;
  readonly term: number;
}

export interface RaftNodeOptions {
  /** Position of this node in the cluster's address list. */
  readonly me: number;
  /** The others at their positions; this node's own slot is null. */
  readonly peers: readonly (RaftPeer | null)[];
  /** Where term, vote and log live; the node closes it. */
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly timing?: Partial<RaftTiming>;
  /** Given every committed entry once, in order, no-ops included. It must not throw for what a leader proposes. */
  readonly apply: (entry: LogEntry) => void;
  /** Told of every change of role or term; from the moment a leader is one no more, its open proposals are undecided. */
  readonly onRole?: (change: RoleChange) => void;
  /** The node has stopped because it could not go on safely: its disk failed, or another node broke Raft's promises. */
  readonly onFatal: (error: Error) => void;
}

/** Where a proposed command will stand in the log, if it ever does. */
export interface Proposal {
  readonly index: number;
  readonly term: number;
}

export interface RaftStatus {
  readonly role: RoleName;
  readonly term: number;
  /** Everything up to here is applied, too: applying takes no time of its own. */
  readonly commitIndex: number;
  readonly lastIndex: number;
  readonly storageBytes: number;
}
