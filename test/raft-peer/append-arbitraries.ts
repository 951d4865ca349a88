import fc from "fast-check";
import type { AppendEntriesRequest, Entry } from "../../src/gen/raftpb/raft.js";

/** int64 as it comes: mostly near the borders where a varint grows. */
export const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc
    .tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: -1, max: 1 }))
    .map(([sevens, offset]) => BigInt.asIntN(64, 2n ** BigInt(7 * sevens) + BigInt(offset))),
  fc.constantFrom(0n, -1n, 2n ** 53n - 1n),
);

export const entry: fc.Arbitrary<Entry> = fc.record({
  index: int64,
  term: int64,
  command: fc
    .oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 120, max: 140 }))
    .map((length) => Buffer.alloc(length, 0xff)),
});

export const appendRequest: fc.Arbitrary<AppendEntriesRequest> = fc.record({
  term: int64,
  leaderId: int64,
  prevLogIndex: int64,
  prevLogTerm: int64,
  leaderCommit: int64,
  entries: fc.array(entry, { maxLength: 30 }),
});
