/** What a client says to a node of a replicated key-value service (eraft's KVService). */

/** `put` replaces, `append` adds to the end (and creates the key), `get` reads. */
export type KvOperation = "put" | "append" | "get";

export interface KvCommand {
  readonly key: string;
  /** Empty for `get`. */
  readonly value: string;
  readonly op: KvOperation;
  /** Names the session; uniform in [0, 2^62), which a number cannot hold. */
  readonly clientId: bigint;
  /** Rises with every write of the session. A server applies a write only when its id is above all it has applied. */
  readonly commandId: bigint;
}

export interface KvReply {
  /** `OK`, `ErrNoKey`, `ErrWrongLeader` or `ErrTimeout`, inside a gRPC OK. */
  readonly err: string;
  readonly value: string;
}

export type NodeState = "Follower" | "Candidate" | "Leader" | "Unknown";

/** A node's own view; two nodes may both call themselves leader, and the higher term is right. */
export interface NodeStatus {
  /** Position of the node in the cluster's address list. */
  readonly id: number;
  readonly state: NodeState;
  readonly term: number;
  readonly lastApplied: number;
  readonly commitIndex: number;
  /** Bytes of the database and the Raft state together. */
  readonly storageBytes: number;
}

/** A key-value node as its clients reach it: give it to `addKvService`, or to a `MemoryNetwork`. */
export interface KvHandler {
  command(request: KvCommand): KvReply | Promise<KvReply>;
  status(): NodeStatus | Promise<NodeStatus>;
}
