import { describe, expect, it } from "vitest";
import { RaftLog } from "../../../examples/raft-kv/raft/raft-log.js";
import { entry, logOf, texts } from "./entries.js";

describe("what a follower tells a leader whose entry it lacks", () => {
  const cases = [
    { has: [], prev: [0, 0], says: null },
    { has: [1, 1, 2], prev: [0, 0], says: null },
    { has: [1, 1, 2], prev: [3, 2], says: null },
    { has: [], prev: [1, 1], says: { conflictIndex: 1, conflictTerm: -1 } },
    { has: [1, 1, 2], prev: [9, 4], says: { conflictIndex: 4, conflictTerm: -1 } },
    { has: [1, 1, 2], prev: [4, 2], says: { conflictIndex: 4, conflictTerm: -1 } },
    { has: [1, 1, 2], prev: [3, 3], says: { conflictIndex: 3, conflictTerm: 2 } },
    { has: [1, 2, 2, 2], prev: [4, 3], says: { conflictIndex: 2, conflictTerm: 2 } },
    { has: [1, 2, 2, 2], prev: [3, 3], says: { conflictIndex: 2, conflictTerm: 2 } },
    { has: [2, 2, 2], prev: [3, 1], says: { conflictIndex: 1, conflictTerm: 2 } },
  ] as const;

  for (const { has, prev, says } of cases) {
    it(`is ${JSON.stringify(says)} for entry ${prev[0]} of term ${prev[1]} with terms [${has}]`, () => {
      expect(new RaftLog(logOf(...has)).conflictAt(prev[0], prev[1])).toEqual(says);
    });
  }
});

describe("who may have a vote", () => {
  const cases = [
    { last: [3, 2], mayLead: true, why: "the same end" },
    { last: [4, 2], mayLead: true, why: "a longer log" },
    { last: [2, 2], mayLead: false, why: "a shorter log" },
    { last: [1, 3], mayLead: true, why: "a shorter log of a later term" },
    { last: [9, 1], mayLead: false, why: "a longer log of an earlier term" },
  ] as const;

  for (const { last, mayLead, why } of cases) {
    it(`${mayLead ? "takes" : "refuses"} ${why}`, () => {
      expect(new RaftLog(logOf(1, 1, 2)).isUpToDate(last[0], last[1])).toBe(mayLead);
    });
  }
});

it("keeps entries that a late, shorter request does not name", () => {
  const log = new RaftLog(logOf(1, 1, 1));

  expect(log.newAmong([entry(1, 1), entry(2, 1)])).toEqual([]);
});

it("takes a leader's entries from the first that differs", () => {
  const log = new RaftLog(logOf(1, 1, 1, 1));

  const added = log.newAmong([entry(2, 1), entry(3, 2), entry(4, 2)]);
  log.append(added);

  expect(texts(log.from(1, 9, 1_000))).toEqual(["1@1", "2@1", "3@2", "4@2"]);
});

it("finds the last entry of a term, not looking past the index asked for", () => {
  const log = new RaftLog(logOf(1, 2, 2, 4, 4));

  expect([2, 4, 3, 9].map((term) => log.lastOfTerm(term, 4))).toEqual([3, 4, null, null]);
});

it("refuses entries after a gap", () => {
  expect(() => new RaftLog(logOf(1)).append([entry(3, 1)])).toThrow("entry 3 cannot follow a log of 1");
});
