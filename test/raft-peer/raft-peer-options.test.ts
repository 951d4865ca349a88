import { describe, expect, it } from "vitest";
import { raftPeerOptionsSchema } from "../../src/raft-peer/index.js";

const refused = (options: object): string[] =>
  raftPeerOptionsSchema.safeParse(options).error?.issues.map(({ path }) => path.join(".")) ?? [];

describe("the options of a peer", () => {
  it("have eraft's limits as their defaults", () => {
    expect(raftPeerOptionsSchema.parse({})).toEqual({
      voteTimeoutMs: 100,
      appendTimeoutMs: 100,
      appendMinBytesPerSecond: 4_000_000,
      appendPartBytes: 524_288,
      snapshotTimeoutMs: 1_000,
      snapshotMinBytesPerSecond: null,
      maxAppendBytes: 4_194_304,
      maxSnapshotBytes: 4_194_304,
      minFailureMs: 10,
      channel: {},
    });
  });

  it("may be at the ends of their ranges", () => {
    const least = { voteTimeoutMs: 1, snapshotMinBytesPerSecond: 1, maxAppendBytes: 64, minFailureMs: 0 };
    const most = { maxAppendBytes: 2_147_483_647, maxSnapshotBytes: 2_147_483_647 };

    expect([refused(least), refused(most)]).toEqual([[], []]);
  });

  it.each([
    ["voteTimeoutMs", 0],
    ["appendTimeoutMs", null],
    ["snapshotTimeoutMs", Number.POSITIVE_INFINITY],
    ["snapshotMinBytesPerSecond", 0],
    ["maxAppendBytes", 63],
    ["maxSnapshotBytes", 64.5],
    ["maxSnapshotBytes", 2_147_483_648],
    ["minFailureMs", -1],
    ["channel", 5],
  ])("refuse %s of %s", (key, value) => {
    expect(refused({ [key]: value })).toEqual([key]);
  });
});
