import type { AppendEntriesRequest, Entry, InstallSnapshotRequest } from "../gen/raftpb/raft.js";

/**
 * Exact sizes of encoded messages without encoding them. Every field of these messages has a number under 16, so each
 * tag is one byte, and proto3 leaves out fields that are 0 or empty.
 */

/** What n bytes of a varint can carry stays under the n-th limit. */
const VARINT_LIMITS = Array.from({ length: 10 }, (_, index) => 2n ** BigInt(7 * (index + 1)));

/** A field of type int64. */
export function int64FieldBytes(value: bigint): number {
  return value === 0n ? 0 : 1 + varintBytes(BigInt.asUintN(64, value));
}

/** An AppendEntries without its `leaderCommit` and its entries. */
export function appendHeaderBytes(
  message: Pick<AppendEntriesRequest, "term" | "leaderId" | "prevLogIndex" | "prevLogTerm">,
): number {
  const { term, leaderId, prevLogIndex, prevLogTerm } = message;
  return (
    int64FieldBytes(term) +
    int64FieldBytes(leaderId) +
    int64FieldBytes(prevLogIndex) +
    int64FieldBytes(prevLogTerm)
  );
}

/** An entry as it stands in an AppendEntries, tag and length included. */
export function entryFieldBytes({ index, term, command }: Entry): number {
  const bytes = int64FieldBytes(index) + int64FieldBytes(term) + bytesFieldBytes(command.length);
  return 1 + varintBytes(BigInt(bytes)) + bytes;
}

export function snapshotBytes(message: InstallSnapshotRequest): number {
  const { term, leaderId, lastIncludedIndex, lastIncludedTerm, data } = message;
  return (
    int64FieldBytes(term) +
    int64FieldBytes(leaderId) +
    int64FieldBytes(lastIncludedIndex) +
    int64FieldBytes(lastIncludedTerm) +
    bytesFieldBytes(data.length)
  );
}

function bytesFieldBytes(length: number): number {
  return length === 0 ? 0 : 1 + varintBytes(BigInt(length)) + length;
}

function varintBytes(value: bigint): number {
  return VARINT_LIMITS.findIndex((limit) => value < limit) + 1;
}
