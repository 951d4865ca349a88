/**
 * What Raft peers say to each other. Terms and indexes are plain numbers: the wire carries int64, and what does not fit
 * a safe integer is refused in both directions, never rounded.
 */

/** One log entry; `command` is whatever the state machine understands. */
export interface LogEntry<Command = Uint8Array> {
  readonly index: number;
  readonly term: number;
  readonly command: Command;
}

export interface RequestVoteRequest {
  readonly term: number;
  /** Position of the candidate in the cluster's address list. */
  readonly candidateId: number;
  readonly lastLogIndex: number;
  readonly lastLogTerm: number;
}

export interface RequestVoteResponse {
  readonly term: number;
  readonly voteGranted: boolean;
}

/** A heartbeat is a request without entries. */
export interface AppendEntriesRequest<Command = Uint8Array> {
  readonly term: number;
  /** Position of the leader in the cluster's address list. */
  readonly leaderId: number;
  readonly prevLogIndex: number;
  readonly prevLogTerm: number;
  readonly leaderCommit: number;
  readonly entries: readonly LogEntry<Command>[];
}

export interface AppendEntriesResponse {
  /** 0 from an eraft follower whose log begins after `prevLogIndex`. */
  readonly term: number;
  readonly success: boolean;
  /** Where the leader should go on after a refusal; may be negative. */
  readonly conflictIndex: number;
  /** -1 when the follower's log is shorter than `prevLogIndex`. */
  readonly conflictTerm: number;
}

/** A snapshot travels whole: the wire has no offset and no end marker. */
export interface InstallSnapshotRequest {
  readonly term: number;
  readonly leaderId: number;
  readonly lastIncludedIndex: number;
  readonly lastIncludedTerm: number;
  readonly data: Uint8Array;
}

export interface InstallSnapshotResponse {
  readonly term: number;
}

/** A Raft core as its peers reach it: give it to `addRaftService`, or to a `MemoryNetwork`. */
export interface RaftHandler<Command = Uint8Array> {
  requestVote(request: RequestVoteRequest): RequestVoteResponse | Promise<RequestVoteResponse>;
  appendEntries(
    request: AppendEntriesRequest<Command>,
  ): AppendEntriesResponse | Promise<AppendEntriesResponse>;
  installSnapshot(
    request: InstallSnapshotRequest,
  ): InstallSnapshotResponse | Promise<InstallSnapshotResponse>;
}

/** Turns commands into the bytes of a log entry and back. Bytes, the default, pass untouched. */
export interface CommandCodec<Command> {
  encode(command: Command): Uint8Array;
  decode(bytes: Uint8Array): Command;
}
