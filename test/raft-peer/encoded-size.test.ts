import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as wire from "../../src/gen/raftpb/raft.js";
import {
  appendHeaderBytes,
  entryFieldBytes,
  int64FieldBytes,
  snapshotBytes,
} from "../../src/raft-peer/encoded-size.js";
import { appendRequest, int64 } from "./append-arbitraries.js";

describe("the size of a message that is not encoded yet", () => {
  it("is exactly that of the encoded AppendEntries, whatever its numbers and commands", () => {
    fc.assert(
      fc.property(appendRequest, (request) => {
        const entries = request.entries.reduce((sum, entry) => sum + entryFieldBytes(entry), 0);
        const bytes = appendHeaderBytes(request) + int64FieldBytes(request.leaderCommit) + entries;

        expect(bytes).toBe(wire.AppendEntriesRequest.encode(request).finish().length);
      }),
    );
  });

  it("is exactly that of the encoded snapshot, at every length where its prefix grows", () => {
    const length = fc.constantFrom(0, 1, 127, 128, 16_383, 16_384);
    fc.assert(
      fc.property(
        int64,
        int64,
        int64,
        int64,
        length,
        (term, leaderId, lastIncludedIndex, lastIncludedTerm, size) => {
          const snapshot = { term, leaderId, lastIncludedIndex, lastIncludedTerm, data: Buffer.alloc(size) };

          expect(snapshotBytes(snapshot)).toBe(wire.InstallSnapshotRequest.encode(snapshot).finish().length);
        },
      ),
    );
  });
});
