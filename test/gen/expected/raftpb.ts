import * as raft from "../../../src/gen/raftpb/raft.js";
import { type Expected, everyNumber, expected } from "./vectors.js";

const none = Buffer.alloc(0);
const entry = (n: bigint): raft.Entry => ({ index: n, term: n, command: none });
const vote = (n: bigint): raft.RequestVoteRequest => ({
  term: n,
  candidateId: n,
  lastLogIndex: n,
  lastLogTerm: n,
});
const append = (n: bigint, entries: raft.Entry[]): raft.AppendEntriesRequest => ({
  term: n,
  leaderId: n,
  prevLogIndex: n,
  prevLogTerm: n,
  leaderCommit: n,
  entries,
});
const appended = (n: bigint): raft.AppendEntriesResponse => ({
  term: n,
  success: false,
  conflictIndex: n,
  conflictTerm: n,
});
const snapshot = (n: bigint): raft.InstallSnapshotRequest => ({
  term: n,
  leaderId: n,
  lastIncludedIndex: n,
  lastIncludedTerm: n,
  data: none,
});
const heartbeat: raft.AppendEntriesRequest = {
  term: 5n,
  leaderId: 1n,
  prevLogIndex: 9n,
  prevLogTerm: 4n,
  leaderCommit: 8n,
  entries: [],
};

export const raftpb: readonly Expected[] = [
  expected("raftpb.RequestVoteRequest", raft.RequestVoteRequest, {
    empty: vote(0n),
    "each field its own": { term: 7n, candidateId: 2n, lastLogIndex: 300n, lastLogTerm: 6n },
    ...everyNumber(vote),
  }),
  expected("raftpb.RequestVoteResponse", raft.RequestVoteResponse, {
    empty: { term: 0n, voteGranted: false },
    granted: { term: 7n, voteGranted: true },
    ...everyNumber((n) => ({ term: n, voteGranted: false })),
  }),
  expected("raftpb.AppendEntriesRequest", raft.AppendEntriesRequest, {
    empty: append(0n, []),
    "a heartbeat": heartbeat,
    "entries of any bytes": {
      ...heartbeat,
      entries: [
        { index: 10n, term: 5n, command: Buffer.from([0x00, 0xff]) },
        entry(0n),
        { index: 12n, term: 5n, command: Buffer.from("\r\n") },
      ],
    },
    ...everyNumber((n) => append(n, [entry(n)])),
  }),
  expected("raftpb.AppendEntriesResponse", raft.AppendEntriesResponse, {
    empty: appended(0n),
    accepted: { term: 3n, success: true, conflictIndex: 0n, conflictTerm: 0n },
    "a short log": { term: 3n, success: false, conflictIndex: -2n, conflictTerm: -1n },
    ...everyNumber(appended),
  }),
  expected("raftpb.InstallSnapshotRequest", raft.InstallSnapshotRequest, {
    empty: snapshot(0n),
    "each field its own": {
      term: 7n,
      leaderId: 2n,
      lastIncludedIndex: 300n,
      lastIncludedTerm: 6n,
      data: Buffer.from([0x00, 0x80, 0xff]),
    },
    ...everyNumber(snapshot),
  }),
  expected("raftpb.InstallSnapshotResponse", raft.InstallSnapshotResponse, {
    empty: { term: 0n },
    ...everyNumber((n) => ({ term: n })),
  }),
  expected("raftpb.Entry", raft.Entry, {
    empty: entry(0n),
    "each field its own": { index: 10n, term: 5n, command: Buffer.from([0x00, 0xff]) },
    ...everyNumber(entry),
  }),
].flat();

/** What `long_append` in test/fixtures/wire/generate.sh writes down. */
export const longAppend: raft.AppendEntriesRequest = {
  term: 9n,
  leaderId: 1n,
  prevLogIndex: 41n,
  prevLogTerm: 8n,
  leaderCommit: 40n,
  entries: Array.from({ length: 10_000 }, (_, i) => ({
    index: 42n + BigInt(i),
    term: i < 100 ? 8n : 9n,
    command: Buffer.from(`put key-${i}`),
  })),
};
