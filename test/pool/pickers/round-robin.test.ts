import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Picker } from "../../../src/pool/pickers/picker.js";
import { roundRobin } from "../../../src/pool/pickers/round-robin.js";
import { fixedRandom } from "../../support/seeded-random.js";
import {
  ANY,
  allBut,
  CALL,
  type FakeCandidate,
  fakeCandidates,
  NOBODY,
  pickerInput,
} from "./fake-candidate.js";

/** @param roll what chance says, 0 to 1 */
function create(
  candidates: readonly FakeCandidate[],
  roll: number,
  previous: Picker<FakeCandidate> | null = null,
): Picker<FakeCandidate> {
  return roundRobin.create(pickerInput(candidates, { previous, random: fixedRandom(roll) }));
}

function picks(picker: Picker<FakeCandidate>, count: number): string[] {
  return Array.from({ length: count }, () => picker.pick(ANY, CALL)?.endpoint.address ?? "none");
}

describe("round_robin", () => {
  it("gives each endpoint the same share, to within one call, whatever the number of calls", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 200 }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        (size, calls, roll) => {
          const picker = create(fakeCandidates(size), roll);
          const counts = new Map(fakeCandidates(size).map(({ endpoint }) => [endpoint.address, 0]));

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
      const picker = create(fakeCandidates(4), roll);

      expect(picks(picker, 1)).toEqual([first]);
    },
  );

  it("begins where chance says also when endpoints come up one by one before the first call", () => {
    const [a, b, c] = fakeCandidates(3) as [FakeCandidate, FakeCandidate, FakeCandidate];
    const first = create([a], 0.9);
    const second = create([a, b], 0.9, first);

    const third = create([a, b, c], 0.9, second);

    expect(picks(third, 1)).toEqual(["10.0.0.2:1"]);
  });

  it("goes on after the endpoint used last when the set grows", () => {
    const [a, b, c] = fakeCandidates(3) as [FakeCandidate, FakeCandidate, FakeCandidate];
    const small = create([a, b], 0);
    picks(small, 1);

    const grown = create([a, b, c], 0.9, small);

    expect(picks(grown, 3)).toEqual(["10.0.0.1:1", "10.0.0.2:1", "10.0.0.0:1"]);
  });

  it("shares evenly over a whole round however often the same set is announced again", () => {
    const set = fakeCandidates(3);
    let picker: Picker<FakeCandidate> = create(set, 0);
    const seen: string[] = [];

    for (let call = 0; call < 9; call++) {
      seen.push(...picks(picker, 1));
      picker = create(set, 0.5, picker);
    }

    for (const { endpoint } of set) expect(seen.filter((one) => one === endpoint.address)).toHaveLength(3);
  });

  it.each([
    [1, "10.0.0.1:1"],
    [2, "10.0.0.2:1"],
    [4, "10.0.0.0:1"],
  ])(
    "goes on in its place when the endpoint used last is gone (after call %d of four)",
    (calls, expected) => {
      const set = fakeCandidates(4);
      const before = create(set, 0);
      const used = picks(before, calls).at(-1);

      const after = create(
        set.filter(({ endpoint }) => endpoint.address !== used),
        0.9,
        before,
      );
      const unused = create(
        set.filter(({ endpoint }) => endpoint.address !== used),
        0.9,
        after,
      );

      expect(picks(unused, 1)).toEqual([expected]);
    },
  );

  it("passes over endpoints that the filter refuses, and shares the rest evenly", () => {
    const set = fakeCandidates(3);
    const picker = create(set, 0);
    const filter = allBut(set[1]!);

    const seen = Array.from({ length: 6 }, () => picker.pick(filter, CALL)?.endpoint.address);

    expect(seen.filter((address) => address === "10.0.0.0:1")).toHaveLength(3);
    expect(seen.filter((address) => address === "10.0.0.2:1")).toHaveLength(3);
  });

  it("finds nothing when the filter refuses all, and keeps its place", () => {
    const picker = create(fakeCandidates(3), 0);
    picks(picker, 1);

    expect(picker.pick(NOBODY, CALL)).toBeNull();

    expect(picks(picker, 1)).toEqual(["10.0.0.1:1"]);
  });

  it("finds nothing in an empty set", () => {
    expect(create(fakeCandidates(0), 0.9).pick(ANY, CALL)).toBeNull();
  });
});
