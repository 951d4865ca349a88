import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Candidate, Picker } from "../../../src/pool/pickers/picker.js";
import { roundRobin } from "../../../src/pool/pickers/round-robin.js";

const ANY = { accepts: () => true };

function candidates(count: number): Candidate[] {
  return Array.from({ length: count }, (_, index) => ({ endpoint: { address: `10.0.0.${index}:1` } }));
}

function picks(picker: Picker<Candidate>, count: number): string[] {
  return Array.from({ length: count }, () => picker.pick(ANY)?.endpoint.address ?? "none");
}

function except(...addresses: string[]) {
  return { accepts: ({ endpoint }: Candidate) => !addresses.includes(endpoint.address) };
}

describe("round_robin", () => {
  it("gives each endpoint the same share, to within one call, whatever the number of calls", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 200 }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        (size, calls, roll) => {
          const picker = roundRobin.create(candidates(size), null, roll);
          const counts = new Map(candidates(size).map(({ endpoint }) => [endpoint.address, 0]));

          for (const address of picks(picker, calls)) counts.set(address, (counts.get(address) ?? 0) + 1);

          expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it.each([
    [0, "10.0.0.0:1"],
    [0.5, "10.0.0.2:1"],
    [0.999, "10.0.0.3:1"],
  ])(
    "begins where chance says, so that clients started together do not all begin at the first (roll %d)",
    (roll, first) => {
      const picker = roundRobin.create(candidates(4), null, roll);

      expect(picks(picker, 1)).toEqual([first]);
    },
  );

  it("begins where chance says also when endpoints come up one by one before the first call", () => {
    const [a, b, c] = candidates(3) as [Candidate, Candidate, Candidate];
    const first = roundRobin.create([a], null, 0.9);
    const second = roundRobin.create([a, b], first, 0.9);

    const third = roundRobin.create([a, b, c], second, 0.9);

    expect(picks(third, 1)).toEqual(["10.0.0.2:1"]);
  });

  it("goes on after the endpoint used last when the set grows", () => {
    const [a, b, c] = candidates(3) as [Candidate, Candidate, Candidate];
    const small = roundRobin.create([a, b], null, 0);
    picks(small, 1);

    const grown = roundRobin.create([a, b, c], small, 0.9);

    expect(picks(grown, 3)).toEqual(["10.0.0.1:1", "10.0.0.2:1", "10.0.0.0:1"]);
  });

  it("shares evenly over a whole round however often the same set is announced again", () => {
    const set = candidates(3);
    let picker: Picker<Candidate> = roundRobin.create(set, null, 0);
    const seen: string[] = [];

    for (let call = 0; call < 9; call++) {
      seen.push(...picks(picker, 1));
      picker = roundRobin.create(set, picker, 0.5);
    }

    for (const { endpoint } of set) expect(seen.filter((one) => one === endpoint.address)).toHaveLength(3);
  });

  it("begins where chance says when the endpoint used last is gone", () => {
    const [a, b, c] = candidates(3) as [Candidate, Candidate, Candidate];
    const before = roundRobin.create([a, b], null, 0);
    picks(before, 1);

    const after = roundRobin.create([b, c], before, 0.9);

    expect(picks(after, 1)).toEqual(["10.0.0.2:1"]);
  });

  it("passes over endpoints that the filter refuses, and shares the rest evenly", () => {
    const picker = roundRobin.create(candidates(3), null, 0);
    const filter = except("10.0.0.1:1");

    const seen = Array.from({ length: 6 }, () => picker.pick(filter)?.endpoint.address);

    expect(seen.filter((address) => address === "10.0.0.0:1")).toHaveLength(3);
    expect(seen.filter((address) => address === "10.0.0.2:1")).toHaveLength(3);
  });

  it("finds nothing when the filter refuses all, and keeps its place", () => {
    const picker = roundRobin.create(candidates(3), null, 0);
    picks(picker, 1);

    expect(picker.pick({ accepts: () => false })).toBeNull();

    expect(picks(picker, 1)).toEqual(["10.0.0.1:1"]);
  });

  it("finds nothing in an empty set", () => {
    expect(roundRobin.create(candidates(0), null, 0.9).pick(ANY)).toBeNull();
  });
});
