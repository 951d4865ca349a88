import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as wire from "../../src/gen/raftpb/raft.js";
import * as convert from "../../src/raft-peer/raft-convert.js";
import type { LogEntry } from "../../src/raft-peer/raft-messages.js";

const MAX = Number.MAX_SAFE_INTEGER;
const integer = fc.oneof(fc.constantFrom(0, -1, 1, MAX, -MAX), fc.integer({ min: -MAX, max: MAX }));
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const entry = fc.record({ index: integer, term: integer, command: bytes });

const requestVote = fc.record({
  term: integer,
  candidateId: integer,
  lastLogIndex: integer,
  lastLogTerm: integer,
});
const appendEntries = fc.record({
  term: integer,
  leaderId: integer,
  prevLogIndex: integer,
  prevLogTerm: integer,
  leaderCommit: integer,
  entries: fc.array(entry, { maxLength: 20 }),
});
const appendReply = fc.record({
  term: integer,
  success: fc.boolean(),
  conflictIndex: integer,
  conflictTerm: integer,
});
const snapshot = fc.record({
  term: integer,
  leaderId: integer,
  lastIncludedIndex: integer,
  lastIncludedTerm: integer,
  data: bytes,
});

interface Pair {
  readonly name: string;
  readonly messages: fc.Arbitrary<object>;
  readonly toWire: (message: object) => object;
  readonly fromWire: (message: object) => object;
  readonly type: wire.MessageFns<object>;
}

function pair<M extends object, W extends object>(
  name: string,
  messages: fc.Arbitrary<M>,
  toWire: (message: M) => W,
  fromWire: (message: W) => M,
  type: wire.MessageFns<W>,
): Pair {
  return { name, messages, toWire, fromWire, type } as unknown as Pair;
}

const pairs = [
  pair(
    "RequestVote",
    requestVote,
    convert.requestVoteRequestToWire,
    convert.requestVoteRequestFromWire,
    wire.RequestVoteRequest,
  ),
  pair(
    "RequestVote's reply",
    fc.record({ term: integer, voteGranted: fc.boolean() }),
    convert.requestVoteResponseToWire,
    convert.requestVoteResponseFromWire,
    wire.RequestVoteResponse,
  ),
  pair(
    "AppendEntries",
    appendEntries,
    convert.appendEntriesRequestToWire,
    convert.appendEntriesRequestFromWire,
    wire.AppendEntriesRequest,
  ),
  pair(
    "AppendEntries' reply",
    appendReply,
    convert.appendEntriesResponseToWire,
    convert.appendEntriesResponseFromWire,
    wire.AppendEntriesResponse,
  ),
  pair(
    "InstallSnapshot",
    snapshot,
    convert.installSnapshotRequestToWire,
    convert.installSnapshotRequestFromWire,
    wire.InstallSnapshotRequest,
  ),
  pair(
    "InstallSnapshot's reply",
    fc.record({ term: integer }),
    convert.installSnapshotResponseToWire,
    convert.installSnapshotResponseFromWire,
    wire.InstallSnapshotResponse,
  ),
];

describe.each(pairs)("$name", ({ messages, toWire, fromWire, type }) => {
  it("comes back from its bytes as it was, field by field", () => {
    fc.assert(
      fc.property(messages, (message) => {
        const bytes = type.encode(toWire(message)).finish();
        expect(fromWire(type.decode(bytes))).toEqual(message);
      }),
    );
  });

  it("is refused when one of its numbers does not fit, and the error names it", () => {
    const unfit = fc.constantFrom(Number.NaN, 0.5, MAX + 1, Number.POSITIVE_INFINITY);
    fc.assert(
      fc.property(messages, unfit, fc.nat(), (message, value, pick) => {
        const key = numbersOf(message, "number", pick);
        expect(() => toWire({ ...message, [key]: value })).toThrow(new RegExp(`^${key} is ${value};`));
      }),
    );
  });

  it("is refused from the wire when one of its numbers is no safe integer, and the error names it", () => {
    fc.assert(
      fc.property(messages, fc.constantFrom(2n ** 53n, -(2n ** 63n)), fc.nat(), (message, value, pick) => {
        const received = toWire(message);
        const key = numbersOf(received, "bigint", pick);
        const problem = expect(() => fromWire({ ...received, [key]: value }));
        problem.toThrow(RangeError);
        problem.toThrow(new RegExp(`^${key} is ${value};`));
      }),
    );
  });
});

it("carries 10,000 entries in order, bytes and all", () => {
  const entries = Array.from({ length: 10_000 }, (_, n): LogEntry => {
    return { index: MAX - n, term: n, command: Buffer.from([n & 255, n >> 8]) };
  });
  const request = { term: 1, leaderId: 0, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: -1, entries };

  const sent = wire.AppendEntriesRequest.encode(convert.appendEntriesRequestToWire(request)).finish();

  expect(convert.appendEntriesRequestFromWire(wire.AppendEntriesRequest.decode(sent))).toEqual(request);
});

it.each(["index", "term"])("names the entry whose %s does not fit, both ways", (key) => {
  const request = { term: 1, leaderId: 0, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0 };
  const good = { index: 1, term: 1, command: Buffer.alloc(0) };
  const received = convert.appendEntriesRequestToWire({ ...request, entries: [good, good] });

  const send = () =>
    convert.appendEntriesRequestToWire({ ...request, entries: [good, { ...good, [key]: 1.5 }] });
  Object.assign(received.entries[1]!, { [key]: 2n ** 60n });

  expect(send).toThrow(new RegExp(`^entries\\[1\\]\\.${key} is 1\\.5;`));
  expect(() => convert.appendEntriesRequestFromWire(received)).toThrow(
    new RegExp(`^entries\\[1\\]\\.${key} is ${2n ** 60n};`),
  );
});

it("refuses entries that are no array, and a command that is no bytes", () => {
  const request = { term: 1, leaderId: 0, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0 };
  const entries = [{ index: 1, term: 1, command: "set x" as unknown as Uint8Array }];

  expect(() =>
    convert.appendEntriesRequestToWire({ ...request, entries: undefined as unknown as LogEntry[] }),
  ).toThrow("entries is undefined; allowed: an array of entries");
  expect(() => convert.appendEntriesRequestToWire({ ...request, entries })).toThrow(
    'entries[0].command is "set x"; allowed: a Uint8Array',
  );
});

/** One of the message's fields of that type. */
function numbersOf(message: object, type: "number" | "bigint", pick: number): string {
  const keys = Object.entries(message).filter(([, value]) => typeof value === type);
  return keys[pick % keys.length]![0];
}
