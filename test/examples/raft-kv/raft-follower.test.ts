import { describe, expect, it } from "vitest";
import { entry, logOf } from "./entries.js";
import { LoneNode } from "./lone-node.js";
import { refused } from "./scripted-peer.js";

describe("a follower", () => {
  it("replaces what the leader does not have, and keeps what it has", () => {
    const node = new LoneNode({ log: logOf(1, 1, 2, 2) });

    expect(node.append(3, [2, 1], [entry(3, 3)])).toMatchObject({ term: 3, success: true });

    expect(node.raft.status().lastIndex).toBe(3);
  });

  it("answers where its log parts from the leader's", () => {
    const node = new LoneNode({ log: logOf(1, 2, 2) });

    expect(node.append(3, [7, 3], [])).toEqual(refused(3, 4, -1));
    expect(node.append(3, [3, 3], [])).toEqual(refused(3, 2, 2));
    expect(node.append(3, [-1, 0], [])).toEqual(refused(0, 0, 0));
  });

  it("refuses a leader of the past and changes nothing", () => {
    const node = new LoneNode({ log: logOf(5) });

    expect(node.append(4, [0, 0], [entry(1, 4)], 1)).toEqual(refused(5, 0, 0));

    expect(node.applied).toEqual([]);
  });

  it("commits no further than the request has shown its log to be the leader's", () => {
    const node = new LoneNode({ log: logOf(1, 2, 2) });

    node.append(3, [1, 1], [], 3);
    expect(node.appliedTexts).toEqual(["1@1"]);
    node.append(3, [1, 1], [entry(2, 3), entry(3, 3)], 2);
    expect(node.appliedTexts).toEqual(["1@1", "2@3"]);
  });

  it("does not go back on what it has committed when an older request comes late", () => {
    const node = new LoneNode();
    node.append(1, [0, 0], logOf(1, 1, 1), 3);

    expect(node.append(1, [0, 0], logOf(1), 1).success).toBe(true);

    expect(node.raft.status()).toMatchObject({ lastIndex: 3, commitIndex: 3 });
  });

  it("refuses entries that do not follow each other", () => {
    const node = new LoneNode();

    expect(() => node.append(1, [0, 0], [entry(1, 1), entry(3, 1)])).toThrow(
      "entries[1].index is 3; allowed: 2",
    );
  });

  it("answers a snapshot with its term and takes nothing from it", () => {
    const node = new LoneNode({ log: logOf(3) });
    const snapshot = {
      term: 9,
      leaderId: 1,
      lastIncludedIndex: 5,
      lastIncludedTerm: 9,
      data: Buffer.alloc(1),
    };

    expect(node.raft.installSnapshot(snapshot)).toEqual({ term: 3 });
    expect(node.raft.status().lastIndex).toBe(1);
  });
});
