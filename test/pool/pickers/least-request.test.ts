import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseOptions } from "../../../src/core/index.js";
import { leastRequest, leastRequestOptionsSchema } from "../../../src/pool/pickers/least-request.js";
import { SeededRandom } from "../../support/seeded-random.js";
import { allBut, CALL, type FakeCandidate, fakeCandidates, pickerInput } from "./fake-candidate.js";

/** One pick, and the candidates that were drawn for it, in order. */
function draw(candidates: readonly FakeCandidate[], choiceCount: number, seed: number) {
  const picker = leastRequest({ choiceCount }).create(
    pickerInput(candidates, { random: new SeededRandom(seed) }),
  );
  const drawn: FakeCandidate[] = [];
  const picked = picker.pick({ accepts: (candidate) => drawn.push(candidate) > 0 }, CALL);
  return { picked, drawn };
}

describe("least_request", () => {
  it("takes the least busy of those it draws, the first drawn among equals (R125)", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 2, max: 10 }),
        fc.nat(),
        (loads, choiceCount, seed) => {
          const candidates = fakeCandidates(loads.length);
          for (const [index, load] of loads.entries()) candidates[index]!.inFlight = load;

          const { picked, drawn } = draw(candidates, choiceCount, seed);

          const least = Math.min(...drawn.map(({ inFlight }) => inFlight));
          expect(picked).toBe(drawn.find(({ inFlight }) => inFlight === least));
        },
      ),
    );
  });

  it.each([
    [2, 2],
    [10, 10],
    [11, 10],
    [1_000, 10],
  ])("draws as many as choiceCount says, and ten at most (R125: %d)", (choiceCount, expected) => {
    expect(draw(fakeCandidates(50), choiceCount, 1).drawn).toHaveLength(expected);
  });

  it("may draw one twice (R125)", () => {
    const rounds = Array.from({ length: 50 }, (_, seed) => draw(fakeCandidates(3), 2, seed).drawn);

    expect(rounds.some(([first, second]) => first === second)).toBe(true);
    expect(rounds.some(([first, second]) => first !== second)).toBe(true);
  });

  it("avoids a busy endpoint, and still compares where another one is refused", () => {
    const candidates = fakeCandidates(3) as [FakeCandidate, FakeCandidate, FakeCandidate];
    const [refused, busy, idle] = candidates;
    busy.inFlight = 5;
    const picker = leastRequest({ choiceCount: 2 }).create(pickerInput(candidates));

    const picks = Array.from({ length: 4_000 }, () => picker.pick(allBut(refused), CALL));

    // Only where both draws meet it, one time in four.
    expect(picks.filter((picked) => picked === busy).length / 4_000).toBeCloseTo(0.25, 1);
    expect(picks.filter((picked) => picked === idle).length / 4_000).toBeCloseTo(0.75, 1);
  });

  it("sees calls that began after it was made", () => {
    const candidates = fakeCandidates(4);
    const picker = leastRequest({ choiceCount: 10 }).create(pickerInput(candidates));

    for (let call = 0; call < 40; call++) picker.pick({ accepts: () => true }, CALL)!.inFlight++;

    for (const { inFlight } of candidates) expect(inFlight).toBeGreaterThanOrEqual(9);
  });
});

describe("the options of least_request", () => {
  it("draw two unless told otherwise (R125)", () => {
    expect(leastRequestOptionsSchema.parse({})).toEqual({ choiceCount: 2 });
  });

  it.each([
    [{ choiceCount: 1 }, "choiceCount is 1; allowed: 2 or more"],
    [{ choiceCount: 2.5 }, "choiceCount is 2.5; allowed: a value of type int"],
    [{ choices: 3 }, "choices is not a known key"],
  ])("name what is wrong with %j (R125)", (options, says) => {
    expect(() => parseOptions(leastRequestOptionsSchema, options, "leastRequest")).toThrow(says);
  });
});
