import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AppendEntriesRequest, type Entry } from "../../src/gen/raftpb/raft.js";
import { type AppendParts, splitAppend } from "../../src/raft-peer/append-parts.js";
import { appendRequest } from "./append-arbitraries.js";

const entries = (count: number, bytes: number): Entry[] =>
  Array.from({ length: count }, (_, at) => ({
    index: BigInt(at + 8),
    term: 3n,
    command: Buffer.alloc(bytes, 1),
  }));
const REQUEST = { term: 3n, leaderId: 1n, prevLogIndex: 7n, prevLogTerm: 2n, leaderCommit: 9n };

function partsOf(result: AppendParts): readonly AppendEntriesRequest[] {
  if (!result.ok) throw new Error(`entry ${result.position} is too large`);
  return result.parts;
}

function encodedBytes(request: AppendEntriesRequest): number {
  return AppendEntriesRequest.encode(request).finish().length;
}

/** A part with one entry more, as the splitter would have made it. */
function withNext(part: AppendEntriesRequest, next: Entry, leaderCommit: bigint): AppendEntriesRequest {
  const clamped = next.index < leaderCommit ? next.index : leaderCommit;
  return { ...part, entries: [...part.entries, next], leaderCommit: clamped };
}

const limit = fc.integer({ min: 64, max: 1_000 });

describe("a request that fits", () => {
  it("is passed as it is, up to the last byte", () => {
    const request = { ...REQUEST, leaderCommit: 1_000n, entries: entries(3, 10) };

    const parts = partsOf(splitAppend(request, encodedBytes(request)));

    expect(parts).toHaveLength(1);
    expect(parts[0]).toBe(request);
  });

  it("is passed as it is without entries, because a heartbeat has nothing to cut", () => {
    const request = { ...REQUEST, entries: [] };

    expect(partsOf(splitAppend(request, 0))[0]).toBe(request);
  });
});

describe("a request over the limit", () => {
  it("goes in parts that each follow from the part before and promise no more than they bring", () => {
    const request = { ...REQUEST, entries: entries(4, 30) };

    const parts = partsOf(splitAppend(request, 2 * 38 + 10));

    expect(parts.map(({ entries }) => entries.map(({ index }) => index))).toEqual([
      [8n, 9n],
      [10n, 11n],
    ]);
    expect(parts.map(({ prevLogIndex, prevLogTerm }) => [prevLogIndex, prevLogTerm])).toEqual([
      [7n, 2n],
      [9n, 3n],
    ]);
    expect(parts.map(({ leaderCommit }) => leaderCommit)).toEqual([9n, 9n]);
  });

  it("clamps the commit index of every part, the last one too", () => {
    const request = { ...REQUEST, leaderCommit: 50n, entries: entries(4, 30) };

    const parts = partsOf(splitAppend(request, 2 * 38 + 10));

    expect(parts.map(({ leaderCommit }) => leaderCommit)).toEqual([9n, 11n]);
  });

  it("has one entry at least in each part, or names the first entry that fits none", () => {
    const list = entries(3, 10);
    list[1] = { index: 9n, term: 3n, command: Buffer.alloc(200) };

    const result = splitAppend({ ...REQUEST, entries: list }, 100);

    const alone = { ...REQUEST, prevLogIndex: 8n, prevLogTerm: 3n, entries: [list[1]] };
    expect(result).toEqual({ ok: false, position: 1, bytes: encodedBytes(alone) });
  });
});

describe("any request under any limit", () => {
  it("loses, doubles, reorders and changes no entry", () => {
    fc.assert(
      fc.property(appendRequest, limit, (request, maxBytes) => {
        const result = splitAppend(request, maxBytes);
        fc.pre(result.ok);
        const parts = partsOf(result);

        expect(parts.flatMap((part) => part.entries)).toEqual(request.entries);
        for (const [at, part] of parts.entries()) {
          const before = at === 0 ? undefined : parts[at - 1]?.entries.at(-1);
          expect([part.term, part.leaderId]).toEqual([request.term, request.leaderId]);
          expect(part.prevLogIndex).toBe(before?.index ?? request.prevLogIndex);
          expect(part.prevLogTerm).toBe(before?.term ?? request.prevLogTerm);
        }
      }),
    );
  });

  it("makes parts within the limit, none of which could have taken its next entry", () => {
    fc.assert(
      fc.property(appendRequest, limit, (request, maxBytes) => {
        const result = splitAppend(request, maxBytes);
        fc.pre(result.ok);
        const parts = partsOf(result);

        for (const [at, part] of parts.entries()) {
          expect(encodedBytes(part)).toBeLessThanOrEqual(maxBytes);
          const next = parts[at + 1]?.entries[0];
          if (next === undefined) continue;
          expect(encodedBytes(withNext(part, next, request.leaderCommit))).toBeGreaterThan(maxBytes);
        }
      }),
    );
  });

  it("promises in no part of several more than the part's last entry, nor more than the leader did", () => {
    fc.assert(
      fc.property(appendRequest, limit, (request, maxBytes) => {
        const result = splitAppend(request, maxBytes);
        fc.pre(result.ok && result.parts.length > 1);

        for (const { leaderCommit, entries } of partsOf(result)) {
          const last = entries.at(-1)?.index as bigint;
          expect([last, request.leaderCommit]).toContain(leaderCommit);
          expect(leaderCommit <= last && leaderCommit <= request.leaderCommit).toBe(true);
        }
      }),
    );
  });

  it("is cut in time that grows with its entries, not with their square", () => {
    const request = { ...REQUEST, entries: entries(10_000, 8) };
    let reads = 0;
    const counted = request.entries.map((entry) => ({
      index: entry.index,
      term: entry.term,
      get command() {
        reads++;
        return entry.command;
      },
    }));

    const parts = partsOf(splitAppend({ ...request, entries: counted }, 256));

    expect(parts.length).toBeGreaterThan(500);
    expect(reads).toBe(10_000);
  });
});
