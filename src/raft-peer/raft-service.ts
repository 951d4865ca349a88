import type { Server } from "@grpc/grpc-js";
import { RaftServiceService } from "../gen/raftpb/raft.js";
import { codecOr, decodeEntries } from "./command-codec.js";
import * as convert from "./raft-convert.js";
import type { AppendEntriesRequest, CommandCodec, RaftHandler } from "./raft-messages.js";
import type { ServedMethod } from "./served-method.js";
import { addMethods, checkHandler, servedMethod } from "./served-service.js";

const METHODS = ["requestVote", "appendEntries", "installSnapshot"] as const;

export interface RaftServiceOptions<Command> {
  /** Turns the bytes of a log entry into a command. Default: bytes stay bytes. */
  readonly commandCodec?: CommandCodec<Command>;
  /**
   * The peers that `createRaftPeers` made, each at the place of its id. One that calls us is there, so a connection to
   * it that waits for its next dial is dialled at once.
   */
  readonly peers?: readonly (object | null)[];
}

/** A peer over gRPC; others have nothing to dial. */
interface Contact {
  readonly channel?: { resetBackoff(): void };
}

/**
 * Serves a Raft core to its peers on a gRPC server. A handler that throws or rejects answers INTERNAL, or the gRPC
 * `code` on its error.
 *
 * @throws ResilienceError `CONFIG_INVALID` naming each method that the handler lacks
 */
export function addRaftService<Command = Uint8Array>(
  server: Server,
  handler: RaftHandler<Command>,
  options: RaftServiceOptions<Command> = {},
): void {
  addMethods(server, raftMethods(handler, options.commandCodec, options.peers));
}

/** The methods of a Raft core, for whatever serves them. */
export function raftMethods<Command = Uint8Array>(
  handler: RaftHandler<Command>,
  codec?: CommandCodec<Command>,
  peers: readonly (object | null)[] = [],
): readonly ServedMethod[] {
  checkHandler("the Raft service", handler, METHODS);
  const commands = codecOr(codec);
  const calledBy = (id: number): void => (peers[id] as Contact | null | undefined)?.channel?.resetBackoff();
  return [
    servedMethod({
      definition: RaftServiceService.requestVote,
      fromWire: convert.requestVoteRequestFromWire,
      run: (request) => {
        calledBy(request.candidateId);
        return handler.requestVote(request);
      },
      toWire: convert.requestVoteResponseToWire,
    }),
    servedMethod({
      definition: RaftServiceService.appendEntries,
      fromWire: (message): AppendEntriesRequest<Command> => {
        const request = convert.appendEntriesRequestFromWire(message);
        return { ...request, entries: decodeEntries(request.entries, commands) };
      },
      run: (request) => {
        calledBy(request.leaderId);
        return handler.appendEntries(request);
      },
      toWire: convert.appendEntriesResponseToWire,
    }),
    servedMethod({
      definition: RaftServiceService.installSnapshot,
      fromWire: convert.installSnapshotRequestFromWire,
      run: (request) => {
        calledBy(request.leaderId);
        return handler.installSnapshot(request);
      },
      toWire: convert.installSnapshotResponseToWire,
    }),
  ];
}
