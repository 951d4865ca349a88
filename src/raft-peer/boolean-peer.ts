import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  RequestVoteRequest,
  RequestVoteResponse,
} from "./raft-messages.js";
import type { PeerResult, RaftPeer } from "./raft-peer.js";

/** The caller's object, whose fields a reply fills. */
export type FilledReply<Reply> = { -readonly [Field in keyof Reply]?: Reply[Field] };

/**
 * A peer in the shape of eraft's Go interface: true, with the reply filled in, or false. Why it is false is lost; new
 * code takes the `RaftPeer` itself.
 */
export interface BooleanPeer<Command = Uint8Array> {
  requestVote(args: RequestVoteRequest, reply: FilledReply<RequestVoteResponse>): Promise<boolean>;
  appendEntries(
    args: AppendEntriesRequest<Command>,
    reply: FilledReply<AppendEntriesResponse>,
  ): Promise<boolean>;
  installSnapshot(
    args: InstallSnapshotRequest,
    reply: FilledReply<InstallSnapshotResponse>,
  ): Promise<boolean>;
}

/** Lets code written for eraft's Go interface call a peer. A failed call leaves the reply as it is; nothing throws. */
export function asBooleanPeer<Command = Uint8Array>(peer: RaftPeer<Command>): BooleanPeer<Command> {
  return {
    requestVote: async (args, reply) => filled(reply, await peer.requestVote(args)),
    appendEntries: async (args, reply) => filled(reply, await peer.appendEntries(args)),
    installSnapshot: async (args, reply) => filled(reply, await peer.installSnapshot(args)),
  };
}

function filled<Reply extends object>(reply: FilledReply<Reply>, result: PeerResult<Reply>): boolean {
  if (!result.ok || typeof reply !== "object" || reply === null) return false;
  try {
    Object.assign(reply, result.reply);
    return true;
  } catch {
    // Frozen or sealed: it has no place for the answer.
    return false;
  }
}
