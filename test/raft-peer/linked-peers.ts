import { codecOr } from "../../src/raft-peer/command-codec.js";
import { LinkedPeer } from "../../src/raft-peer/linked-peer.js";
import type { CommandCodec } from "../../src/raft-peer/raft-messages.js";
import { type LinkedPeerOptions, linkedPeerOptionsSchema } from "../../src/raft-peer/raft-peer-options.js";
import { ManualClock } from "../support/manual-clock.js";
import type { ScriptedLink } from "./scripted-link.js";

export const VOTE = { term: 7, candidateId: 2, lastLogIndex: 9, lastLogTerm: 6 };
export const APPEND = { term: 7, leaderId: 1, prevLogIndex: 9, prevLogTerm: 6, leaderCommit: 8, entries: [] };
export const SNAPSHOT = {
  term: 7,
  leaderId: 1,
  lastIncludedIndex: 9,
  lastIncludedTerm: 6,
  data: Buffer.alloc(0),
};
export const granted = (term = 7n) => ({ term, voteGranted: true });
export const appended = (success = true) => ({ term: 7n, success, conflictIndex: 0n, conflictTerm: 0n });
export const entries = (count: number, bytes: number) =>
  Array.from({ length: count }, (_, at) => ({ index: 10 + at, term: 7, command: Buffer.alloc(bytes, 1) }));

export function peerOver<C = Uint8Array>(
  link: ScriptedLink,
  options: LinkedPeerOptions = {},
  codec?: CommandCodec<C>,
) {
  const clock = new ManualClock();
  const parts = { clock, codec: codecOr(codec) };
  return { clock, peer: new LinkedPeer<C>(link, linkedPeerOptionsSchema.parse(options), parts) };
}

/** Whether a promise has settled, without waiting for it. */
export function watch(promise: Promise<unknown>): { settled: boolean } {
  const seen = { settled: false };
  void promise.then(() => {
    seen.settled = true;
  });
  return seen;
}
