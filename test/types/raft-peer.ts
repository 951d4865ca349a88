import type { ResilientChannel } from "../../src/call/index.js";
import {
  asBooleanPeer,
  createRaftPeer,
  createRaftPeerOver,
  createRaftPeers,
  type GrpcRaftPeer,
  type RaftPeer,
  type UnaryLink,
} from "../../src/raft-peer/index.js";
import { same, use } from "./expect.js";

const PLAIN = { insecure: true };
interface Command {
  readonly set: number;
}
const commandCodec = {
  encode: (command: Command) => Buffer.from(String(command.set)),
  decode: (bytes: Uint8Array): Command => ({ set: Number(bytes) }),
};
declare const link: UnaryLink;

/** Only a peer over gRPC has a channel. */
export function channels(): void {
  const peer = createRaftPeer("a:1", PLAIN);
  same<typeof peer, GrpcRaftPeer>();
  same<typeof peer.channel, ResilientChannel>();
  const over = createRaftPeerOver(link);
  same<typeof over, RaftPeer>();
  // @ts-expect-error: a link of any kind may have none
  use(over.channel);
}

/** The codec says what a command is, from one end to the other. */
export async function commands(): Promise<void> {
  const [first] = createRaftPeers(["a:1", "b:1"], 1, PLAIN, { commandCodec });
  same<typeof first, GrpcRaftPeer<Command> | null | undefined>();
  const request = { term: 1, leaderId: 0, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0 };
  await first?.appendEntries({ ...request, entries: [{ index: 1, term: 1, command: { set: 1 } }] });
  // @ts-expect-error: bytes are no command of this codec
  await first?.appendEntries({ ...request, entries: [{ index: 1, term: 1, command: Buffer.from("1") }] });
}

/** A result is a reply or a failure, and says which. */
export async function results(peer: RaftPeer): Promise<void> {
  const result = await peer.requestVote({ term: 1, candidateId: 0, lastLogIndex: 0, lastLogTerm: 0 });
  // @ts-expect-error: there may be no reply
  use(result.reply);
  if (result.ok) same<typeof result.reply.voteGranted, boolean>();
  else use(result.kind, result.processed, result.attempts);
}

/** The reply of a boolean peer is the caller's own, to be filled. */
export async function filledReplies(peer: RaftPeer): Promise<void> {
  const reply = { term: 0, voteGranted: false };
  const args = { term: 1, candidateId: 0, lastLogIndex: 0, lastLogTerm: 0 };
  const answer = await asBooleanPeer(peer).requestVote(args, reply);
  same<typeof answer, boolean>();
  // @ts-expect-error: not the reply of this method
  await asBooleanPeer(peer).requestVote(args, { success: true });
}

/** Options that only a channel has need a channel. */
export function options(): void {
  // @ts-expect-error: a link has its security already
  createRaftPeerOver(link, { insecure: true });
  // @ts-expect-error: the preset is `raft`
  createRaftPeer("a:1", { ...PLAIN, channel: { preset: "grpc" } });
}
