import type { ChannelCollaborators, ResilientChannel } from "../call/index.js";
import { parseOptions, problemsError, systemClock } from "../core/index.js";
import { RaftServiceService } from "../gen/raftpb/raft.js";
import {
  type CheckedPeerOptions,
  checkAddress,
  checkAddresses,
  checkPeerOptions,
} from "./check-raft-peer.js";
import { codecOr } from "./command-codec.js";
import { grpcLinks } from "./grpc-link.js";
import { LinkedPeer, type PeerParts } from "./linked-peer.js";
import type { CommandCodec } from "./raft-messages.js";
import type { RaftPeer } from "./raft-peer.js";
import {
  type LinkedPeerOptions,
  linkedPeerOptionsSchema,
  type RaftPeerOptions,
} from "./raft-peer-options.js";
import type { UnaryLink } from "./unary-link.js";

/** What a peer works with beside its options: how commands become bytes, and what tests replace. */
export interface RaftPeerCollaborators<Command = Uint8Array> extends ChannelCollaborators {
  /** Turns a command into the bytes of a log entry. Default: bytes stay bytes. */
  readonly commandCodec?: CommandCodec<Command>;
}

/** A `RaftPeer` over gRPC. */
export interface GrpcRaftPeer<Command = Uint8Array> extends RaftPeer<Command> {
  /** For further stubs on the same address: `stubFor(KVServiceClient, peer.channel)`. Closing the peer closes it. */
  readonly channel: ResilientChannel;
}

/**
 * Makes a peer that calls the Raft node at `address`. Does no I/O; the first call connects.
 *
 * @param address `host:port`, `[v6]:port` or `unix:path`
 * @throws ResilienceError `CONFIG_INVALID` that lists every problem of address and options
 */
export function createRaftPeer<Command = Uint8Array>(
  address: string,
  options: RaftPeerOptions,
  collaborators: RaftPeerCollaborators<Command> = {},
): GrpcRaftPeer<Command> {
  const problems: string[] = [];
  checkAddress("address", address, problems);
  const checked = checkPeerOptions(options, problems);
  if (checked === null || problems.length > 0) throw problemsError("createRaftPeer", problems);
  return new GrpcPeer(address, checked, collaborators);
}

/**
 * Makes the peers of the Raft node at `addresses[me]`: in their order, with null for the node itself. A cluster of one
 * node has none. Does no I/O.
 *
 * @throws ResilienceError `CONFIG_INVALID` that lists every problem
 */
export function createRaftPeers<Command = Uint8Array>(
  addresses: readonly string[],
  me: number,
  options: RaftPeerOptions,
  collaborators: RaftPeerCollaborators<Command> = {},
): readonly (GrpcRaftPeer<Command> | null)[] {
  const problems: string[] = [];
  checkAddresses(addresses, me, problems);
  const checked = checkPeerOptions(options, problems);
  if (checked === null || problems.length > 0) throw problemsError("createRaftPeers", problems);
  return addresses.map((address, place) =>
    place === me ? null : new GrpcPeer(address, checked, collaborators),
  );
}

/**
 * Makes a peer over a link of any kind, for instance one of a `MemoryNetwork`; closing the peer closes the link.
 * @throws ResilienceError `CONFIG_INVALID` that lists every problem of the options
 */
export function createRaftPeerOver<Command = Uint8Array>(
  link: UnaryLink,
  options: LinkedPeerOptions = {},
  collaborators: Pick<RaftPeerCollaborators<Command>, "clock" | "commandCodec"> = {},
): RaftPeer<Command> {
  const resolved = parseOptions(linkedPeerOptionsSchema, options, "createRaftPeerOver");
  return new LinkedPeer(link, resolved, partsOf(collaborators));
}

class GrpcPeer<Command> extends LinkedPeer<Command> implements GrpcRaftPeer<Command> {
  readonly channel: ResilientChannel;

  constructor(address: string, checked: CheckedPeerOptions, collaborators: RaftPeerCollaborators<Command>) {
    const connect = grpcLinks(checked.channel, collaborators);
    const link = connect(address, [RaftServiceService]);
    super(link, checked.options, partsOf(collaborators));
    this.channel = link.channel;
  }
}

function partsOf<Command>({
  clock = systemClock,
  commandCodec,
}: Pick<RaftPeerCollaborators<Command>, "clock" | "commandCodec">): PeerParts<Command> {
  return { clock, codec: codecOr(commandCodec) };
}
