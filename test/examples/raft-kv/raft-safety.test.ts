import type { AppendEntriesRequest, LogEntry } from "holdfast";
import { describe, expect, it } from "vitest";
import { CommittedLog } from "../../../examples/raft-kv/raft/committed-log.js";
import { DurableState } from "../../../examples/raft-kv/raft/durable-state.js";
import { RaftNode } from "../../../examples/raft-kv/raft/raft-node.js";
import { RaftStorage } from "../../../examples/raft-kv/raft/raft-storage.js";
import { settle } from "../../support/manual-clock.js";
import { MemoryDisk } from "../../support/memory-disk.js";
import { entry, logOf, texts } from "./entries.js";
import { LoneNode } from "./lone-node.js";
import { accepted } from "./scripted-peer.js";

describe("figure 8 of the Raft paper", () => {
  it("an entry of an earlier term is not committed by counting who has it", () => {
    const state = new DurableState(new RaftStorage(new MemoryDisk()));
    const applied: LogEntry[] = [];
    const committed = new CommittedLog(state, (each) => applied.push(each));
    state.vote(4, 0);
    state.append([...logOf(1, 2), entry(3, 4)]);

    committed.commitAsLeader(2);
    expect(applied).toEqual([]);
    committed.commitAsLeader(3);
    expect(texts(applied)).toEqual(["1@1", "2@2", "3@4"]);
  });

  it("it is committed together with the first entry of the leader's own term", async () => {
    const node = new LoneNode({ servers: 5, log: logOf(1, 2) });
    await node.lead();

    for (const peer of node.peers.slice(0, 2)) peer.append.reply(accepted(3));
    await settle();

    expect(node.appliedTexts).toEqual(["1@1", "2@2", "\0"]);
  });
});

describe("a promise of Raft that another node breaks", () => {
  it("stops the node instead of unsaying what it has committed", () => {
    const node = new LoneNode();
    node.append(1, [0, 0], logOf(1, 1), 2);

    expect(() => node.append(2, [1, 1], [entry(2, 2)])).toThrow(
      "node 1, leader of term 2, would replace entry 2, but entries up to 2 are committed here",
    );

    expect(node.fatal).toHaveLength(1);
    expect(node.appliedTexts).toEqual(["1@1", "2@1"]);
  });
});

describe("rules that tests can take away", () => {
  it("without the term guard a leader of the past replaces entries", () => {
    class Unguarded extends RaftNode {
      protected override isStale(): boolean {
        return false;
      }
    }
    const node = new LoneNode({ log: logOf(5), makeRaft: (options) => new Unguarded(options) });

    expect(node.append(4, [0, 0], [entry(1, 4)], 1).success).toBe(true);

    expect(node.appliedTexts).toEqual(["1@4"]);
  });

  it("with eraft's commit rule a stale tail is committed when leaderCommit is not clamped", () => {
    class AsEraft extends RaftNode {
      protected override commitIndexAfter(request: AppendEntriesRequest, lastIndex: number): number {
        return Math.min(request.leaderCommit, lastIndex);
      }
    }
    const node = new LoneNode({ log: logOf(1, 2, 2), makeRaft: (options) => new AsEraft(options) });

    node.append(3, [1, 1], [], 3);

    expect(node.appliedTexts).toEqual(["1@1", "2@2", "3@2"]);
  });
});
