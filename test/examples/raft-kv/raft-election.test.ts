import { describe, expect, it } from "vitest";
import { settle } from "../../support/manual-clock.js";
import { logOf } from "./entries.js";
import { LoneNode } from "./lone-node.js";

describe("standing for election", () => {
  it("begins after the silence of an election timeout, not before the shortest", async () => {
    const node = new LoneNode();

    await node.clock.advance(999);
    expect(node.role).toBe("Follower");
    await node.clock.advance(1_001);
    expect(node.roles).toEqual([{ role: "Candidate", term: 1 }]);
  });

  it("is put off by every heartbeat of a leader", async () => {
    const node = new LoneNode();

    for (let round = 0; round < 30; round++) {
      await node.clock.advance(125);
      node.append(1, [0, 0], []);
    }

    expect(node.role).toBe("Follower");
  });

  it("asks every peer with the end of its log, and leads with the votes of a majority", async () => {
    const node = new LoneNode({ servers: 5, log: logOf(1, 2) });
    await node.stand();

    const request = { term: 3, candidateId: 0, lastLogIndex: 2, lastLogTerm: 2 };
    expect(node.peers.map(({ votes }) => votes[0]?.request)).toEqual([request, request, request, request]);
    node.peers[0]!.votes[0]!.reply({ term: 3, voteGranted: true });
    node.peers[1]!.votes[0]!.fail();
    node.peers[2]!.votes[0]!.reply({ term: 3, voteGranted: false });
    await settle();
    expect(node.role).toBe("Candidate");
    node.peers[3]!.votes[0]!.reply({ term: 3, voteGranted: true });
    await settle();
    expect(node.role).toBe("Leader");
  });

  it("stands again in a new term when nobody won, and old votes count for nothing", async () => {
    const node = new LoneNode();
    await node.stand();
    await node.stand();

    for (const { votes } of node.peers) votes[0]!.reply({ term: 1, voteGranted: true });
    await settle();

    expect(node.term).toBe(2);
    expect(node.role).toBe("Candidate");
  });

  it("ends for whoever hears of the leader of the same term", async () => {
    const node = new LoneNode();
    await node.stand();

    expect(node.append(1, [0, 0], [])).toMatchObject({ term: 1, success: true });

    expect(node.role).toBe("Follower");
    for (const { votes } of node.peers) votes[0]!.reply({ term: 1, voteGranted: true });
    await settle();
    expect(node.role).toBe("Follower");
  });

  it("needs nobody in a cluster of one", async () => {
    const node = new LoneNode({ servers: 1 });

    await node.stand();
    await node.propose("alone");

    expect(node.role).toBe("Leader");
    expect(node.appliedTexts).toEqual(["\0", "alone"]);
  });

  it("waits for the heartbeats in its socket when the process itself stood still, but only once", async () => {
    const node = new LoneNode();
    const now = node.clock.now.bind(node.clock);
    node.clock.now = () => now() + 5_000;

    await node.clock.advance(2_000);
    expect(node.role).toBe("Follower");
    await node.clock.advance(2_000);
    expect(node.role).toBe("Candidate");
  });
});

describe("voting", () => {
  it("goes to the first candidate of a term that asks, also when it asks again", () => {
    const node = new LoneNode();

    expect(node.vote(1, 1)).toEqual({ term: 1, voteGranted: true });
    expect(node.vote(1, 2)).toEqual({ term: 1, voteGranted: false });
    expect(node.vote(1, 1)).toEqual({ term: 1, voteGranted: true });
  });

  it("goes to another candidate in a later term, and to none of an earlier one", () => {
    const node = new LoneNode();
    node.vote(5, 1);

    expect(node.vote(6, 2)).toEqual({ term: 6, voteGranted: true });
    expect(node.vote(5, 1)).toEqual({ term: 6, voteGranted: false });
  });

  it("takes the later term from a candidate whose log is too old for the vote", () => {
    const node = new LoneNode({ log: logOf(1, 2) });

    expect(node.vote(9, 1, [9, 1])).toEqual({ term: 9, voteGranted: false });
    expect(node.vote(9, 2, [2, 2])).toEqual({ term: 9, voteGranted: true });
  });

  it("puts off the voter's own election, refusing does not", async () => {
    const node = new LoneNode({ log: logOf(1) });
    await node.clock.advance(900);
    node.vote(1, 1, [1, 1]);
    await node.clock.advance(999);
    expect(node.role).toBe("Follower");

    for (let left = 1_001; left > 0; left -= 91) {
      node.vote(1, 2, [1, 1]);
      await node.clock.advance(91);
    }
    expect(node.role).toBe("Candidate");
  });

  it("is refused to whoever cannot be a member of this cluster", () => {
    const node = new LoneNode();

    for (const stranger of [0, 3, -1, 0.5])
      expect(() => node.vote(1, stranger)).toThrow(
        `candidateId is ${stranger}; allowed: a position in the list`,
      );
    expect(node.term).toBe(0);
  });
});

describe("a higher term", () => {
  const seen: Record<string, (node: LoneNode) => void> = {
    "in a vote request": (node) => void node.vote(9, 1, [9, 9]),
    "in an append request": (node) => void node.append(9, [0, 0], []),
    "in a vote reply": (node) => node.peers[0]!.votes[0]!.reply({ term: 9, voteGranted: false }),
  };

  for (const [where, show] of Object.entries(seen)) {
    it(`makes a candidate a follower that waits for its leader, ${where}`, async () => {
      const node = new LoneNode();
      await node.stand();

      show(node);
      await settle();

      expect(node.roles.at(-1)).toEqual({ role: "Follower", term: 9 });
    });
  }

  it("in an append reply ends a leader, which proposes nothing more and stands again later", async () => {
    const node = new LoneNode();
    await node.lead();
    node.peers[1]!.append.reply({ term: 9, success: false, conflictIndex: 0, conflictTerm: 0 });
    await settle();

    expect(node.roles.at(-1)).toEqual({ role: "Follower", term: 9 });
    expect(node.raft.propose(Buffer.from("x"))).toBeNull();
    await node.clock.advance(2_000);
    expect(node.roles.at(-1)).toEqual({ role: "Candidate", term: 10 });
  });
});
