import { describe, expect, it } from "vitest";
import { random } from "../../../src/pool/pickers/random.js";
import { SeededRandom } from "../../support/seeded-random.js";
import { ANY, CALL, type FakeCandidate, fakeCandidates, pickerInput } from "./fake-candidate.js";

const PICKS = 20_000;

/** Share of the picks that each candidate gets. */
function shares(
  candidates: readonly FakeCandidate[],
  accepts: (candidate: FakeCandidate) => boolean,
): number[] {
  const picker = random.create(pickerInput(candidates, { random: new SeededRandom(7) }));
  const counts = new Map(candidates.map((candidate) => [candidate, 0]));
  for (let call = 0; call < PICKS; call++) {
    const picked = picker.pick({ accepts }, CALL)!;
    counts.set(picked, counts.get(picked)! + 1);
  }
  return candidates.map((candidate) => counts.get(candidate)! / PICKS);
}

function isNear(share: number, expected: number): boolean {
  return Math.abs(share - expected) < 0.012;
}

describe("random", () => {
  it.each([2, 3, 10])("gives each of %d endpoints the same chance (R137)", (size) => {
    for (const share of shares(fakeCandidates(size), ANY.accepts)) expect(isNear(share, 1 / size)).toBe(true);
  });

  it.each([
    ["one that stands alone", 5, [0]],
    ["half of them", 10, [0, 1, 2, 3, 4]],
    ["all but two behind each other", 200, Array.from({ length: 198 }, (_, index) => index)],
  ])("leaves all others the same chance when %s is refused", (_, size, refused) => {
    const candidates = fakeCandidates(size);

    const all = shares(candidates, (candidate) => !refused.includes(candidates.indexOf(candidate)));

    for (const [index, share] of all.entries())
      expect(isNear(share, refused.includes(index) ? 0 : 1 / (size - refused.length))).toBe(true);
  });

  it("draws anew for each call, not one endpoint after the other", () => {
    const candidates = fakeCandidates(3);
    const picker = random.create(pickerInput(candidates));

    const picks = Array.from({ length: 300 }, () => candidates.indexOf(picker.pick(ANY, CALL)!));

    const steps = new Set(picks.slice(1).map((at, index) => (at - picks[index]! + 3) % 3));
    expect(steps).toEqual(new Set([0, 1, 2]));
  });
});
