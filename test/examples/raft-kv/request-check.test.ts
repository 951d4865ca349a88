import { describe, expect, it } from "vitest";
import { MemoryDisk } from "../../support/memory-disk.js";
import { entry, logOf } from "./entries.js";
import { LoneNode } from "./lone-node.js";

const HIGHEST = Number.MAX_SAFE_INTEGER - 2;

describe("a term that would end all elections", () => {
  for (const term of [HIGHEST + 1, Number.MAX_SAFE_INTEGER, 2 ** 60, 1.5, -1, Number.NaN]) {
    it(`${term} in a request is refused, and changes nothing`, () => {
      const node = new LoneNode({ log: logOf(3) });
      const before = node.disk.operations.length;

      expect(() => node.vote(term, 1, [9, 9])).toThrow(`term is ${term}; allowed: 0 to ${HIGHEST}`);
      expect(() => node.append(term, [0, 0], [])).toThrow(`term is ${term}; allowed: 0 to ${HIGHEST}`);

      expect(node.term).toBe(3);
      expect(node.disk.operations).toHaveLength(before);
      expect(node.fatal).toEqual([]);
    });

    it(`${term} in a reply is not believed`, async () => {
      const node = new LoneNode();
      await node.stand();

      node.peers[0]!.votes[0]!.reply({ term, voteGranted: false });
      await node.clock.advance(0);

      expect(node.term).toBe(1);
      expect(node.role).toBe("Candidate");
    });
  }

  it("stops a node that would have to stand beyond the highest, and says why", async () => {
    const node = new LoneNode();
    expect(node.vote(HIGHEST, 1)).toEqual({ term: HIGHEST, voteGranted: true });

    await node.clock.advance(10_000);

    expect(node.fatal.map(({ message }) => message)).toEqual([
      expect.stringContaining(`cannot stand for election after term ${HIGHEST}: the highest is ${HIGHEST}`),
    ]);
    expect(() => node.vote(1, 1)).toThrow("has stopped");
    expect(new LoneNode({ disk: new MemoryDisk(node.disk.read()) }).term).toBe(HIGHEST);
  });
});

describe("entries whose terms no leader's log can have are refused, and change nothing", () => {
  const cases = {
    "below the one before": {
      terms: [3, 2],
      says: "entries[1].term is 2; allowed: 3 to the request's term 5",
    },
    "below prevLogTerm": { terms: [1], says: "entries[0].term is 1; allowed: 2 to the request's term 5" },
    "above the leader's": { terms: [2, 6], says: "entries[1].term is 6; allowed: 2 to the request's term 5" },
    "no whole number": { terms: [2.5], says: "entries[0].term is 2.5; allowed: 2 to" },
    "no number": { terms: [Number.NaN], says: "entries[0].term is NaN; allowed: 2 to" },
  };

  for (const [what, { terms, says }] of Object.entries(cases)) {
    it(`when one is ${what}`, () => {
      const node = new LoneNode({ log: logOf(2) });
      const entries = terms.map((term, position) => entry(2 + position, term));

      expect(() => node.append(5, [1, 2], entries, 9)).toThrow(says);

      expect(node.raft.status()).toMatchObject({ term: 2, lastIndex: 1, commitIndex: 0 });
      expect(node.fatal).toEqual([]);
    });
  }

  it("when the first is of term 0, which no election gives", () => {
    expect(() => new LoneNode().append(5, [0, 0], [entry(1, 0)])).toThrow(
      "entries[0].term is 0; allowed: 1 to the request's term 5",
    );
  });

  it("but equal and rising ones up to the leader's are taken", () => {
    const node = new LoneNode({ log: logOf(2) });

    expect(node.append(5, [1, 2], [entry(2, 2), entry(3, 4), entry(4, 5)]).success).toBe(true);
  });
});
