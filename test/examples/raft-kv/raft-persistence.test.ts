import { describe, expect, it } from "vitest";
import { MemoryDisk } from "../../support/memory-disk.js";
import { SeededRandom } from "../../support/seeded-random.js";
import { entry, logOf } from "./entries.js";
import { LoneNode } from "./lone-node.js";
import { ScriptedPeer } from "./scripted-peer.js";

/** The same node after a power cut, as chance leaves its disk. */
function crashed(node: LoneNode, seed = 1): LoneNode {
  return new LoneNode({ disk: node.disk.crash(new SeededRandom(seed)) });
}

describe("what a node has said survives a crash right after", () => {
  it("its vote: no second one in the same term", () => {
    for (let seed = 0; seed < 20; seed++) {
      const node = new LoneNode();
      node.vote(4, 1);

      const again = crashed(node, seed);

      expect(again.vote(4, 2)).toEqual({ term: 4, voteGranted: false });
      expect(again.vote(4, 1)).toEqual({ term: 4, voteGranted: true });
    }
  });

  it("its own candidacy: no vote for another in that term", async () => {
    const node = new LoneNode();
    await node.stand();

    expect(crashed(node).vote(1, 1)).toEqual({ term: 1, voteGranted: false });
  });

  it("a term it has heard of: the leader before it is refused", () => {
    const node = new LoneNode();
    node.append(3, [9, 9], []);

    expect(crashed(node).append(2, [0, 0], [])).toMatchObject({ term: 3, success: false });
  });

  it("entries it has accepted", () => {
    const node = new LoneNode();
    node.append(1, [0, 0], logOf(1, 1, 1));
    node.append(2, [1, 1], [entry(2, 2)]);

    const again = crashed(node);

    again.append(2, [2, 2], [], 9);
    expect(again.appliedTexts).toEqual(["1@1", "2@2"]);
  });
});

describe("the disk comes first", () => {
  it("a vote and its term are synced at once, before it is given", () => {
    const node = new LoneNode();
    const before = node.disk.operations.length;

    node.vote(1, 1);

    expect(node.disk.operations.slice(before)).toEqual(["append", "sync"]);
  });

  it("a term and an own vote are synced before anybody is asked", async () => {
    const disk = new MemoryDisk();
    const node = new LoneNode({ disk });
    const seen = new Set<number>();
    for (const peer of node.peers) {
      peer.requestVote = (request) => {
        seen.add(new LoneNode({ disk: disk.crash(new SeededRandom(1)) }).term);
        return new ScriptedPeer().requestVote(request);
      };
    }

    await node.stand();

    expect([...seen]).toEqual([1]);
  });

  it("proposals of one turn are synced once, before they are sent", async () => {
    const node = new LoneNode();
    await node.lead();
    for (const { append } of node.peers)
      append.reply({ term: 1, success: true, conflictIndex: 0, conflictTerm: 0 });
    await node.clock.advance(0);
    const before = node.disk.operations.length;
    const lengths: number[] = [];
    for (const peer of node.peers) {
      peer.appendEntries = (request) => {
        lengths.push(crashed(node).raft.status().lastIndex);
        return new ScriptedPeer().appendEntries(request);
      };
    }

    for (const text of ["a", "b", "c"]) node.raft.propose(Buffer.from(text));
    await node.clock.advance(0);

    expect(node.disk.operations.slice(before)).toEqual(["append", "sync"]);
    expect(lengths).toEqual([4, 4]);
  });

  it("a heartbeat costs no write", () => {
    const node = new LoneNode({ log: logOf(1, 1) });
    const before = node.disk.operations.length;

    node.append(1, [2, 1], [], 2);

    expect(node.disk.operations.slice(before)).toEqual([]);
  });
});

describe("a disk that fails", () => {
  it("stops the node without an answer, and says why", () => {
    const node = new LoneNode();
    node.disk.breakDown();

    expect(() => node.vote(1, 1)).toThrow("EIO");

    expect(node.fatal).toEqual([expect.objectContaining({ message: "EIO: i/o error, write" })]);
    expect(() => node.vote(1, 1)).toThrow("has stopped");
    expect(node.clock.pendingTimers).toBe(0);
  });

  it("ends a leader's term, and nothing unsynced is sent", async () => {
    const node = new LoneNode();
    await node.lead();
    for (const { append } of node.peers)
      append.reply({ term: 1, success: true, conflictIndex: 0, conflictTerm: 0 });
    await node.clock.advance(0);
    const sent = node.peers[0]!.appends.length;

    node.disk.breakDown();
    await node.propose("a");

    expect(node.roles.at(-1)).toEqual({ role: "Follower", term: 1 });
    expect(node.fatal).toHaveLength(1);
    await node.clock.advance(5_000);
    expect(node.peers[0]!.appends).toHaveLength(sent);
    expect(node.clock.pendingTimers).toBe(0);
  });
});

it("says how much of a torn record was cut off at the start", () => {
  const disk = new MemoryDisk(Uint8Array.of(0, 0, 0, 9, 1));

  expect(new LoneNode({ disk }).raft.cutBytes).toBe(5);
});

it("takes no part before it is started, and none after it is stopped", async () => {
  const node = new LoneNode();
  node.raft.stop();
  node.raft.stop();

  expect(() => node.append(1, [0, 0], [])).toThrow("has not started, or has stopped");
  expect(node.disk.operations.filter((each) => each === "close")).toHaveLength(1);
  await node.clock.advance(10_000);
  expect(node.term).toBe(0);
});
