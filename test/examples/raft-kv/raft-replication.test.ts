import { describe, expect, it } from "vitest";
import { settle } from "../../support/manual-clock.js";
import { logOf, texts } from "./entries.js";
import { LoneNode } from "./lone-node.js";
import { accepted, refused } from "./scripted-peer.js";

describe("a leader", () => {
  it("begins its term with a no-op that is not empty", async () => {
    const node = new LoneNode();
    await node.lead();

    const [noOp, ...rest] = node.peers[0]!.append.request.entries;

    expect(noOp).toMatchObject({ index: 1, term: 1 });
    expect(noOp!.command.length).toBeGreaterThan(0);
    expect(rest).toEqual([]);
  });

  it("commits and applies once a majority has the entry", async () => {
    const node = new LoneNode({ servers: 5 });
    await node.lead();

    node.peers[0]!.append.reply(accepted(1));
    await settle();
    expect(node.applied).toEqual([]);
    node.peers[1]!.append.reply(accepted(1));
    await settle();
    expect(node.appliedTexts).toEqual(["\0"]);
  });

  it("sends what was proposed in one turn in one request, with the index it foretold", async () => {
    const node = new LoneNode();
    await node.lead();
    node.peers[0]!.append.reply(accepted(1));
    await settle();

    const proposals = ["a", "b", "c"].map((text) => node.raft.propose(Buffer.from(text)));
    await node.clock.advance(0);

    expect(proposals.map((each) => each?.index)).toEqual([2, 3, 4]);
    expect(texts(node.peers[0]!.append.request.entries)).toEqual(["a", "b", "c"]);
  });

  it("has one request in flight to a peer, and the next carries all there is", async () => {
    const node = new LoneNode();
    await node.lead();
    const [peer] = node.peers;

    await node.propose("a");
    await node.propose("b");
    await node.clock.advance(500);
    expect(peer!.appends).toHaveLength(1);
    peer!.append.reply(accepted(1));
    await settle();
    expect(texts(peer!.append.request.entries)).toEqual(["a", "b"]);
  });

  it("brings a peer that was away for long up in steps, each as far committed as it reaches", async () => {
    const node = new LoneNode({ log: logOf(...Array.from({ length: 1_500 }, () => 1)) });
    await node.lead();
    const [behind, other] = node.peers;
    other!.append.reply(accepted(node.term));
    behind!.append.reply(refused(node.term, 1, -1));
    await settle();
    const first = behind!.append.request;
    behind!.append.reply(accepted(node.term));
    await settle();
    const second = behind!.append.request;

    expect([first.prevLogIndex, first.entries.length, first.leaderCommit]).toEqual([0, 1_000, 1_000]);
    expect([second.prevLogIndex, second.entries.length, second.leaderCommit]).toEqual([1_000, 501, 1_501]);
  });

  it("sends a heartbeat every 125 ms to who answers, and tells how far is committed", async () => {
    const node = new LoneNode();
    await node.lead();
    node.peers[0]!.append.reply(accepted(1));

    await node.clock.advance(124);
    expect(node.peers[0]!.appends).toHaveLength(1);
    await node.clock.advance(1);
    expect(node.peers[0]!.append.request).toEqual({
      ...{ term: 1, leaderId: 0, prevLogIndex: 1, prevLogTerm: 1, leaderCommit: 1, entries: [] },
    });
  });

  it("serves the others at full speed while one peer never answers", async () => {
    const node = new LoneNode();
    await node.lead();
    const [alive, dead] = node.peers;

    for (const text of ["a", "b", "c"]) {
      alive!.append.reply(accepted(1));
      await settle();
      await node.propose(text);
    }
    alive!.append.reply(accepted(1));
    await settle();

    expect(node.appliedTexts).toEqual(["\0", "a", "b", "c"]);
    expect(dead!.appends).toHaveLength(1);
  });

  it("asks a peer that failed again at the next heartbeat, whatever the load", async () => {
    const node = new LoneNode();
    await node.lead();
    const [, failing] = node.peers;
    failing!.append.fail();
    await settle();

    for (const text of ["a", "b", "c"]) await node.propose(text);
    expect(failing!.appends).toHaveLength(1);
    await node.clock.advance(125);
    expect(failing!.appends).toHaveLength(2);
    expect(failing!.append.request.entries).toHaveLength(4);
  });

  it("believes its own request, not the fields of a reply, on how far a peer is", async () => {
    const node = new LoneNode();
    await node.lead();

    node.peers[0]!.append.reply({ ...accepted(1), conflictIndex: 99, conflictTerm: 1 });
    await settle();
    await node.propose("a");

    expect(node.peers[0]!.append.request.prevLogIndex).toBe(1);
  });

  it("takes nothing from replies of another term", async () => {
    const node = new LoneNode();
    await node.lead();

    for (const { append } of node.peers) append.reply(accepted(0));
    await settle();

    expect(node.applied).toEqual([]);
  });

  it("takes nothing from replies that come after it has stepped down and been elected again", async () => {
    const node = new LoneNode();
    await node.lead();
    const old = node.peers.map(({ append }) => append);
    node.vote(2, 1);
    await node.lead();

    const sent = node.peers.map(({ appends }) => appends.length);

    for (const append of old) append.reply(accepted(1));
    await settle();

    expect(node.role).toBe("Leader");
    expect(node.applied).toEqual([]);
    expect(node.peers.map(({ appends }) => appends.length)).toEqual(sent);
  });

  it("drops what was proposed in the turn in which it steps down", async () => {
    const node = new LoneNode();
    await node.lead();

    node.raft.propose(Buffer.from("a"));
    node.vote(2, 1, [9, 9]);
    await node.clock.advance(0);

    expect(node.raft.status().lastIndex).toBe(1);
  });
});

describe("where a leader goes on after a refusal", () => {
  // Its log has terms 1 1 4 4 5 5 before the no-op of term 6, so the first request follows entry 6.
  const cases = [
    { says: [4, -1], next: 4, why: "the follower's log is short" },
    { says: [1, -1], next: 1, why: "the follower's log is empty" },
    { says: [4, 4], next: 5, why: "after its own last entry of the conflicting term" },
    { says: [3, 3], next: 3, why: "at the first of a term it does not have" },
    { says: [0, 3], next: 1, why: "at its first entry, when told less" },
    { says: [-1, -1], next: 1, why: "at its first entry, when told a negative index" },
    { says: [50, -1], next: 6, why: "at least one entry further back, whatever it is told" },
  ] as const;

  for (const { says, next, why } of cases) {
    it(`is ${next} for conflict ${says[0]} of term ${says[1]}: ${why}`, async () => {
      const node = new LoneNode({ log: logOf(1, 1, 4, 4, 5, 5) });
      await node.lead();
      const [peer] = node.peers;
      expect(peer!.append.request.prevLogIndex).toBe(6);

      peer!.append.reply(refused(6, says[0], says[1]));
      await settle();

      const { prevLogIndex, entries } = peer!.append.request;
      expect(prevLogIndex + 1).toBe(next);
      expect(entries.at(-1)!.index).toBe(7);
    });
  }

  it("is no hot loop when a peer refuses even the first entry", async () => {
    const node = new LoneNode();
    await node.lead();
    const [peer] = node.peers;

    peer!.append.reply(refused(1, 1, -1));
    await settle();

    expect(peer!.appends).toHaveLength(1);
    await node.clock.advance(125);
    expect(peer!.appends).toHaveLength(2);
  });
});
