import { describe, expect, it } from "vitest";
import { asBooleanPeer, createRaftPeerOver } from "../../src/raft-peer/index.js";
import { failure, ScriptedLink } from "./scripted-link.js";

const VOTE = { term: 7, candidateId: 2, lastLogIndex: 9, lastLogTerm: 6 };
const APPEND = { term: 7, leaderId: 1, prevLogIndex: 9, prevLogTerm: 6, leaderCommit: 8, entries: [] };
const SNAPSHOT = { term: 7, leaderId: 1, lastIncludedIndex: 9, lastIncludedTerm: 6, data: Buffer.alloc(0) };
const ANSWER = { term: 8n, voteGranted: true, success: true, conflictIndex: -1n, conflictTerm: -2n };

const booleanPeer = (link: ScriptedLink) => asBooleanPeer(createRaftPeerOver(link, { minFailureMs: 0 }));

describe("a peer in the shape of eraft's Go interface", () => {
  it("says true and fills the caller's own reply", async () => {
    const peer = booleanPeer(new ScriptedLink(() => ANSWER));
    const [vote, append, snapshot] = [{ term: 0, voteGranted: false }, {}, { term: 0 }];

    const answers = [
      await peer.requestVote(VOTE, vote),
      await peer.appendEntries(APPEND, append),
      await peer.installSnapshot(SNAPSHOT, snapshot),
    ];

    expect(answers).toEqual([true, true, true]);
    expect(vote).toEqual({ term: 8, voteGranted: true });
    expect(append).toEqual({ term: 8, success: true, conflictIndex: -1, conflictTerm: -2 });
    expect(snapshot).toEqual({ term: 8 });
  });

  it("says false on any failure and leaves the reply as it is", async () => {
    const kinds = ["timeout", "unreachable", "rejected", "malformed", "too-large", "closed"] as const;
    for (const kind of kinds) {
      const peer = booleanPeer(new ScriptedLink(() => failure(kind)));
      const reply = { term: 3, voteGranted: false };

      expect(await peer.requestVote(VOTE, reply)).toBe(false);
      expect(reply).toEqual({ term: 3, voteGranted: false });
    }
  });

  it("never throws, neither for rubbish nor for a reply that cannot be filled", async () => {
    const peer = booleanPeer(new ScriptedLink(() => ANSWER));
    const sealed = Object.seal({ term: 0 });

    expect(await peer.requestVote(null as never, { term: 0 })).toBe(false);
    for (const reply of [null, undefined, 5, Object.freeze({ term: 0 }), sealed]) {
      expect(await peer.requestVote(VOTE, reply as never)).toBe(false);
    }
  });
});
