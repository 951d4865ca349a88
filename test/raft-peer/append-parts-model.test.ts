import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AppendEntriesResponse } from "../../src/gen/raftpb/raft.js";
import { type SplitAppend, splitAppend } from "../../src/raft-peer/append-parts.js";
import { codecOr } from "../../src/raft-peer/command-codec.js";
import type { LogEntry } from "../../src/raft-peer/index.js";
import { LinkedPeer } from "../../src/raft-peer/linked-peer.js";
import {
  appendEntriesRequestFromWire,
  appendEntriesResponseToWire,
} from "../../src/raft-peer/raft-convert.js";
import { linkedPeerOptionsSchema } from "../../src/raft-peer/raft-peer-options.js";
import { ManualClock } from "../support/manual-clock.js";
import { FollowerModel } from "./follower-model.js";
import { ScriptedLink } from "./scripted-link.js";

/** The same cuts, with every part promising what the leader has committed. */
const withoutClamp: SplitAppend = (request, maxBytes) => {
  const split = splitAppend(request, maxBytes);
  if (!split.ok) return split;
  return { ok: true, parts: split.parts.map((part) => ({ ...part, leaderCommit: request.leaderCommit })) };
};

/** `old` entries of term 1 that leader and follower share, then `count` of another term. */
function logOf(old: number, count: number, term: number): LogEntry[] {
  return Array.from({ length: old + count }, (_, at) => {
    const own = at < old ? 1 : term;
    return { index: at + 1, term: own, command: Buffer.from(`${at + 1}@${own}`) };
  });
}

const texts = (log: readonly LogEntry[]): string[] => log.map(({ command }) => String(command));

/** What a follower has applied after a leader has sent it its whole log in small parts. */
async function appliedBy(follower: FollowerModel, leader: readonly LogEntry[], split: SplitAppend) {
  const link = new ScriptedLink(({ request }) => {
    const reply = follower.appendEntries(appendEntriesRequestFromWire(request));
    return AppendEntriesResponse.create(appendEntriesResponseToWire(reply as Awaited<typeof reply>));
  });
  const options = linkedPeerOptionsSchema.parse({ maxAppendBytes: 64 });
  const peer = new LinkedPeer(link, options, { clock: new ManualClock(), codec: codecOr(undefined), split });
  const request = { term: 3, leaderId: 0, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: leader.length };
  await peer.appendEntries({ ...request, entries: leader });
  return { applied: follower.applied, parts: link.calls.length };
}

describe("a follower with a stale tail, told a batch in parts", () => {
  it("applies the leader's entries and no others, because each part promises only what it brings", async () => {
    const leader = logOf(10, 10, 3);

    const { applied, parts } = await appliedBy(new FollowerModel(logOf(10, 10, 2)), leader, splitAppend);

    expect(parts).toBeGreaterThan(4);
    expect(applied).toEqual(texts(leader));
  });

  it("would apply its stale tail if the parts promised what the whole batch does", async () => {
    const leader = logOf(10, 10, 3);

    const { applied } = await appliedBy(new FollowerModel(logOf(10, 10, 2)), leader, withoutClamp);

    expect(applied).not.toEqual(texts(leader));
    expect(applied).toContain("11@2");
  });

  it("has applied a beginning of the leader's log whatever its own log, and wherever the batch broke off", async () => {
    const length = fc.integer({ min: 0, max: 12 });
    const cut = fc.integer({ min: 2, max: 24 });
    await fc.assert(
      fc.asyncProperty(length, length, length, cut, async (old, stale, fresh, refusedFrom) => {
        const leader = logOf(old, fresh, 3);
        const follower = new FollowerModel(logOf(old, stale, 2), refusedFrom);

        const { applied } = await appliedBy(follower, leader, splitAppend);

        expect(applied).toEqual(texts(leader).slice(0, applied.length));
      }),
    );
  });
});
