import type * as wire from "../gen/raftpb/raft.js";
import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  LogEntry,
  RequestVoteRequest,
  RequestVoteResponse,
} from "./raft-messages.js";
import { booleanOf, fromInt64, type ListPosition, toBytes, toInt64, unfit } from "./wire-fields.js";

/**
 * Between what Raft cores say and the generated messages: numbers here, int64 there. Both ways a field that does not
 * fit is a RangeError that names it; nothing is rounded. Commands are bytes already.
 */

export function requestVoteRequestToWire(message: RequestVoteRequest): wire.RequestVoteRequest {
  return {
    term: toInt64("term", message.term),
    candidateId: toInt64("candidateId", message.candidateId),
    lastLogIndex: toInt64("lastLogIndex", message.lastLogIndex),
    lastLogTerm: toInt64("lastLogTerm", message.lastLogTerm),
  };
}

export function requestVoteRequestFromWire(message: wire.RequestVoteRequest): RequestVoteRequest {
  return {
    term: fromInt64("term", message.term),
    candidateId: fromInt64("candidateId", message.candidateId),
    lastLogIndex: fromInt64("lastLogIndex", message.lastLogIndex),
    lastLogTerm: fromInt64("lastLogTerm", message.lastLogTerm),
  };
}

export function requestVoteResponseToWire(message: RequestVoteResponse): wire.RequestVoteResponse {
  return {
    term: toInt64("term", message.term),
    voteGranted: booleanOf("voteGranted", message.voteGranted),
  };
}

export function requestVoteResponseFromWire(message: wire.RequestVoteResponse): RequestVoteResponse {
  return { term: fromInt64("term", message.term), voteGranted: message.voteGranted };
}

export function appendEntriesRequestToWire(message: AppendEntriesRequest): wire.AppendEntriesRequest {
  if (!Array.isArray(message.entries)) throw unfit("entries", message.entries, "an array of entries");
  return {
    term: toInt64("term", message.term),
    leaderId: toInt64("leaderId", message.leaderId),
    prevLogIndex: toInt64("prevLogIndex", message.prevLogIndex),
    prevLogTerm: toInt64("prevLogTerm", message.prevLogTerm),
    leaderCommit: toInt64("leaderCommit", message.leaderCommit),
    // Not map, which would pass the holes of an array on.
    entries: Array.from(message.entries, (entry, index) => entryToWire(entry, { list: "entries", index })),
  };
}

export function appendEntriesRequestFromWire(message: wire.AppendEntriesRequest): AppendEntriesRequest {
  return {
    term: fromInt64("term", message.term),
    leaderId: fromInt64("leaderId", message.leaderId),
    prevLogIndex: fromInt64("prevLogIndex", message.prevLogIndex),
    prevLogTerm: fromInt64("prevLogTerm", message.prevLogTerm),
    leaderCommit: fromInt64("leaderCommit", message.leaderCommit),
    entries: message.entries.map((entry, index) => entryFromWire(entry, { list: "entries", index })),
  };
}

export function appendEntriesResponseToWire(message: AppendEntriesResponse): wire.AppendEntriesResponse {
  return {
    term: toInt64("term", message.term),
    success: booleanOf("success", message.success),
    conflictIndex: toInt64("conflictIndex", message.conflictIndex),
    conflictTerm: toInt64("conflictTerm", message.conflictTerm),
  };
}

export function appendEntriesResponseFromWire(message: wire.AppendEntriesResponse): AppendEntriesResponse {
  return {
    term: fromInt64("term", message.term),
    success: message.success,
    conflictIndex: fromInt64("conflictIndex", message.conflictIndex),
    conflictTerm: fromInt64("conflictTerm", message.conflictTerm),
  };
}

export function installSnapshotRequestToWire(message: InstallSnapshotRequest): wire.InstallSnapshotRequest {
  return {
    term: toInt64("term", message.term),
    leaderId: toInt64("leaderId", message.leaderId),
    lastIncludedIndex: toInt64("lastIncludedIndex", message.lastIncludedIndex),
    lastIncludedTerm: toInt64("lastIncludedTerm", message.lastIncludedTerm),
    data: toBytes("data", message.data),
  };
}

export function installSnapshotRequestFromWire(message: wire.InstallSnapshotRequest): InstallSnapshotRequest {
  return {
    term: fromInt64("term", message.term),
    leaderId: fromInt64("leaderId", message.leaderId),
    lastIncludedIndex: fromInt64("lastIncludedIndex", message.lastIncludedIndex),
    lastIncludedTerm: fromInt64("lastIncludedTerm", message.lastIncludedTerm),
    data: message.data,
  };
}

export function installSnapshotResponseToWire(
  message: InstallSnapshotResponse,
): wire.InstallSnapshotResponse {
  return { term: toInt64("term", message.term) };
}

export function installSnapshotResponseFromWire(
  message: wire.InstallSnapshotResponse,
): InstallSnapshotResponse {
  return { term: fromInt64("term", message.term) };
}

/** @param at where the entry stands, for the error */
export function entryToWire(entry: LogEntry, at?: ListPosition): wire.Entry {
  return {
    index: toInt64("index", entry.index, at),
    term: toInt64("term", entry.term, at),
    command: toBytes("command", entry.command, at),
  };
}

/** @param at where the entry stands, for the error */
export function entryFromWire(entry: wire.Entry, at?: ListPosition): LogEntry {
  return {
    index: fromInt64("index", entry.index, at),
    term: fromInt64("term", entry.term, at),
    command: entry.command,
  };
}
