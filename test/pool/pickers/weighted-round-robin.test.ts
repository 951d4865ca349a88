import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Picker, PickFilter } from "../../../src/pool/pickers/picker.js";
import { weightedRoundRobin } from "../../../src/pool/pickers/weighted-round-robin.js";
import { weightedRoundRobinOptionsSchema } from "../../../src/pool/pickers/weighted-round-robin-options.js";
import { SeededRandom } from "../../support/seeded-random.js";
import {
  ANY,
  allBut,
  CALL,
  type FakeCandidate,
  fakeCandidates,
  NOBODY,
  pickerInput,
} from "./fake-candidate.js";

const policy = weightedRoundRobin(weightedRoundRobinOptionsSchema.parse({}));
const seeds = fc.nat();

function create(
  candidates: readonly FakeCandidate[],
  seed = 1,
  previous: Picker<FakeCandidate> | null = null,
): Picker<FakeCandidate> {
  return policy.create(pickerInput(candidates, { previous, random: new SeededRandom(seed) }));
}

function picks(picker: Picker<FakeCandidate>, count: number, filter: PickFilter<FakeCandidate> = ANY) {
  return Array.from({ length: count }, () => picker.pick(filter, CALL)!);
}

/** How often each candidate was picked. */
function counts(candidates: readonly FakeCandidate[], picked: readonly FakeCandidate[]): number[] {
  return candidates.map((candidate) => picked.filter((one) => one === candidate).length);
}

describe("weighted_round_robin with the weights of discovery", () => {
  it("shares 5:3:1 exactly over any nine calls in a row (R123)", () => {
    fc.assert(
      fc.property(seeds, fc.nat(50), fc.integer({ min: 1, max: 40 }), (seed, skipped, rounds) => {
        const candidates = fakeCandidates([5, 3, 1]);
        const picker = create(candidates, seed);
        picks(picker, skipped);

        expect(counts(candidates, picks(picker, 9 * rounds))).toEqual([5 * rounds, 3 * rounds, rounds]);
      }),
    );
  });

  it("spreads the calls to an endpoint evenly, never three in a row at 5:3:1 (R123)", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const candidates = fakeCandidates([5, 3, 1]);
        const letters = picks(create(candidates, seed), 90).map((one) => "ABC"[candidates.indexOf(one)]);

        expect(letters.join("")).not.toContain("AAA");
        const turns = letters.flatMap((letter, at) => (letter === "C" ? [at] : []));
        for (const [index, at] of turns.slice(1).entries()) expect(at - turns[index]!).toBe(9);
      }),
    );
  });

  it("keeps every share to within one call of its due, whatever the weights", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 });

    fc.assert(
      fc.property(weights, seeds, fc.nat(400), (all, seed, calls) => {
        const candidates = fakeCandidates(all);
        const sum = all.reduce((a, b) => a + b);

        const found = counts(candidates, picks(create(candidates, seed), calls));

        // The phases of the others shift where it stands by up to a call each, of which its share counts.
        for (const [index, count] of found.entries()) {
          const share = all[index]! / sum;
          expect(Math.abs(count - calls * share)).toBeLessThanOrEqual(1 + share * all.length);
        }
      }),
    );
  });

  it("is plain round robin where discovery says no weights", () => {
    const candidates = fakeCandidates(7);

    const found = counts(candidates, picks(create(candidates), 7 * 11 + 3));

    expect(Math.max(...found) - Math.min(...found)).toBeLessThanOrEqual(1);
  });

  it("begins where chance says, so that clients started together do not all begin at the heaviest (R123)", () => {
    const first = (seed: number) => picks(create(fakeCandidates([2, 1, 1]), seed), 1)[0]!.endpoint.address;

    expect(new Set(Array.from({ length: 30 }, (_, seed) => first(seed))).size).toBe(3);
  });

  it("goes on exactly where it was however often the same endpoints are announced", () => {
    fc.assert(
      fc.property(seeds, fc.array(fc.nat(4), { minLength: 1, maxLength: 30 }), (seed, rounds) => {
        const candidates = fakeCandidates([5, 3, 1]);
        const undisturbed = create(candidates, seed);
        let picker = create(candidates, seed);

        for (const calls of rounds) {
          expect(picks(picker, calls)).toEqual(picks(undisturbed, calls));
          picker = create(candidates, seed + 1, picker);
        }
      }),
    );
  });

  it.each([
    ["one joins", 20, [..."0123456789abcdefghijk"]],
    ["the first one leaves", 20, [..."123456789abcdefghij"]],
    ["one in the middle leaves", 20, [..."0123456789bcdefghij"]],
    ["they are announced in another order", 20, [..."jihgfedcba9876543210"]],
  ])("does not begin anew for those that stay when %s", (_, size, members) => {
    const all = fakeCandidates(21);
    const before = create(all.slice(0, size));
    const used = new Set(picks(before, 10));
    const candidates = members.map((member) => all[Number.parseInt(member, 36)]!);
    const waiting = candidates.filter((one) => !used.has(one) && all.indexOf(one) < size);

    const after = create(candidates, 9, before);

    // A new one may come in between; those that had their turn may not.
    const next = picks(after, waiting.length + 1);
    expect(next.filter((one) => waiting.includes(one)).length).toBeGreaterThanOrEqual(waiting.length);
  });

  it("gives one that joins its first turn by chance (R123)", () => {
    const candidates = fakeCandidates(10);
    const before = create(candidates.slice(0, 9));
    const firstTurn = (seed: number) => picks(create(candidates, seed, before), 10).indexOf(candidates[9]!);

    expect(new Set(Array.from({ length: 60 }, (_, seed) => firstTurn(seed))).size).toBeGreaterThan(6);
  });

  it("shares by the new weights from the next snapshot on", () => {
    const before = fakeCandidates([5, 3, 1]);
    const picker = create(before);
    picks(picker, 4);
    const after = fakeCandidates([1, 1, 7]);

    expect(counts(after, picks(create([before[0]!, after[1]!, after[2]!], 2, picker), 1_300))).toEqual([
      0, 100, 700,
    ]);
  });

  it("leaves the others their shares while one is refused, and pays no debts when it is back", () => {
    const candidates = fakeCandidates([5, 3, 1]);
    const picker = create(candidates);

    expect(counts(candidates, picks(picker, 4_000, allBut(candidates[0]!)))).toEqual([0, 3_000, 1_000]);
    const back = counts(candidates, picks(picker, 9));

    expect(back[0]).toBeLessThanOrEqual(6);
    expect(counts(candidates, picks(picker, 900))).toEqual([500, 300, 100]);
  });

  it("passes the turn of an endpoint that is refused, which then waits for its next one", () => {
    const candidates = fakeCandidates(3);
    const picker = create(candidates);
    const [first, second, third] = picks(picker, 3) as [FakeCandidate, FakeCandidate, FakeCandidate];

    expect([...picks(picker, 1, allBut(first)), ...picks(picker, 4)]).toEqual([
      second,
      third,
      first,
      second,
      third,
    ]);
  });

  it("asks an endpoint that is refused once a pick, however much heavier than the others", () => {
    const candidates = fakeCandidates([100_000, 1, 1]);
    const picker = create(candidates);
    let asked = 0;
    const filter = {
      accepts: (one: FakeCandidate) => {
        if (one === candidates[0]) asked++;
        return one !== candidates[0];
      },
    };

    expect(counts(candidates, picks(picker, 100, filter))).toEqual([0, 50, 50]);
    expect(asked).toBeLessThanOrEqual(100);
  });

  it("keeps its place when all are refused", () => {
    const [candidates, twin] = [fakeCandidates([5, 3, 1]), fakeCandidates([5, 3, 1])];
    const [refused, undisturbed] = [create(candidates), create(twin)];

    for (let call = 0; call < 50; call++) {
      expect(refused.pick(NOBODY, CALL)).toBeNull();
      expect(candidates.indexOf(picks(refused, 1)[0]!)).toBe(twin.indexOf(picks(undisturbed, 1)[0]!));
    }
  });

  it("stays exact over hundreds of thousands of calls", () => {
    const candidates = fakeCandidates([5, 3, 1]);
    const picker = create(candidates);
    const tally = new Map(candidates.map((candidate) => [candidate, 0]));

    for (let call = 0; call < 900_000; call++) {
      const picked = picker.pick(ANY, CALL)!;
      tally.set(picked, tally.get(picked)! + 1);
    }

    expect([...tally.values()]).toEqual([500_000, 300_000, 100_000]);
  });

  it("asks for no load reports", () => {
    expect(policy).toMatchObject({ name: "weighted_round_robin", connects: "all" });
    expect(policy.loadReports).toBeUndefined();
  });
});
