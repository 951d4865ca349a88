import fc from "fast-check";
import { expect, it } from "vitest";
import { LeaderCache } from "../../../src/raft-peer/clerk/leader-cache.js";

it("takes a leader, and one of a later term in its place", () => {
  const cache = new LeaderCache();

  expect(cache.learn({ term: 2, address: "a:1" })).toBe(true);
  expect(cache.learn({ term: 4, address: "b:1" })).toBe(true);
  expect(cache.leader).toEqual({ term: 4, address: "b:1" });
});

it.each([
  ["a lower term", 3],
  ["term 0", 0],
  ["a negative term", -1],
])("does not move back to a claim of %s, also after the leader was dropped", (_, term) => {
  const cache = new LeaderCache();
  cache.learn({ term: 4, address: "b:1" });
  cache.drop(cache.leader!);

  expect(cache.learn({ term, address: "a:1" })).toBe(false);
  expect(cache.leader).toBeNull();
});

it("keeps the first claim of a term until that leader is dropped", () => {
  const cache = new LeaderCache();
  cache.learn({ term: 4, address: "b:1" });

  expect(cache.learn({ term: 4, address: "c:1" })).toBe(false);
  cache.drop(cache.leader!);
  expect(cache.learn({ term: 4, address: "c:1" })).toBe(true);
});

it("drops the leader when a term is seen that nobody had seen, and only then", () => {
  const cache = new LeaderCache();
  cache.learn({ term: 4, address: "b:1" });

  expect(cache.observeTerm(4)).toBeNull();
  expect(cache.observeTerm(0)).toBeNull();
  expect(cache.observeTerm(9)).toEqual({ term: 4, address: "b:1" });
  cache.learn({ term: 4, address: "b:1" });
  expect(cache.observeTerm(9)).toBeNull();
  expect(cache.leader).toEqual({ term: 4, address: "b:1" });
});

it("is not talked out of a newer leader by a late failure of an older one", () => {
  const cache = new LeaderCache();
  cache.learn({ term: 4, address: "b:1" });
  const old = cache.leader!;
  cache.learn({ term: 5, address: "b:1" });

  expect(cache.drop(old)).toBe(false);
  expect(cache.leader).toEqual({ term: 5, address: "b:1" });
});

it("never shows a lower term than before, whatever it is told in whatever order", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("learn" as const), term: fc.integer({ min: -1, max: 20 }), id: fc.nat(4) }),
    fc.record({
      kind: fc.constant("observe" as const),
      term: fc.integer({ min: -1, max: 20 }),
      id: fc.nat(4),
    }),
    fc.record({ kind: fc.constant("drop" as const), term: fc.nat(20), id: fc.nat(4) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cache = new LeaderCache();
      let highest = 0;
      for (const { kind, term, id } of steps) {
        if (kind === "learn") cache.learn({ term, address: `n${id}:1` });
        if (kind === "observe") cache.observeTerm(term);
        if (kind === "drop" && cache.leader !== null) cache.drop(cache.leader);
        const shown = cache.leader?.term ?? highest;
        expect(shown).toBeGreaterThanOrEqual(highest);
        highest = Math.max(highest, shown);
      }
    }),
  );
});
