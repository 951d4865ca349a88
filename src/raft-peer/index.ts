export { asBooleanPeer, type BooleanPeer, type FilledReply } from "./boolean-peer.js";
export { type ClerkCollaborators, createClerk } from "./clerk/create-clerk.js";
export type { Clerk, ClerkEvent, ClerkStats, Leader, OperationOptions, ServerStatus } from "./clerk-api.js";
export { type ClerkOptions, clerkOptionsSchema } from "./clerk-options.js";
export {
  createRaftPeer,
  createRaftPeerOver,
  createRaftPeers,
  type GrpcRaftPeer,
  type RaftPeerCollaborators,
} from "./create-raft-peer.js";
export type { KvCommand, KvHandler, KvOperation, KvReply, NodeState, NodeStatus } from "./kv-messages.js";
export { addKvService } from "./kv-service.js";
export {
  MemoryNetwork,
  type MemoryNetworkCollaborators,
  type MemoryNetworkStats,
  type MemoryServices,
} from "./memory-network.js";
export { type MemoryNetworkOptions, memoryNetworkOptionsSchema } from "./memory-network-options.js";
export type { MemoryTrace } from "./memory-state.js";
export type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  CommandCodec,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  LogEntry,
  RaftHandler,
  RequestVoteRequest,
  RequestVoteResponse,
} from "./raft-messages.js";
export type { PeerFailure, PeerResult, RaftPeer, TermListener } from "./raft-peer.js";
export { type LinkedPeerOptions, type RaftPeerOptions, raftPeerOptionsSchema } from "./raft-peer-options.js";
export { addRaftService, type RaftServiceOptions } from "./raft-service.js";
export type { FailureKind, LinkFactory, LinkFailure, LinkResult, UnaryLink } from "./unary-link.js";
