import { describe, expect, it } from "vitest";
import { pickFirst } from "../../../src/pool/pickers/pick-first.js";
import {
  ANY,
  allBut,
  CALL,
  type FakeCandidate,
  fakeCandidates,
  NOBODY,
  pickerInput,
} from "./fake-candidate.js";

const [A, B, C] = fakeCandidates(3) as [FakeCandidate, FakeCandidate, FakeCandidate];

describe("pick_first", () => {
  it("sends every call to the first endpoint", () => {
    const picker = pickFirst.create(pickerInput([A, B]));

    const picks = Array.from({ length: 5 }, () => picker.pick(ANY, CALL));

    expect(new Set(picks)).toEqual(new Set([A]));
  });

  it("takes the next one when the filter refuses the first, none when it refuses all, and then returns", () => {
    const picker = pickFirst.create(pickerInput([A, B]));
    picker.pick(ANY, CALL);

    expect(picker.pick(allBut(A), CALL)).toBe(B);
    expect(picker.pick(NOBODY, CALL)).toBeNull();
    expect(picker.pick(ANY, CALL)).toBe(A);
  });

  it("stays with its choice when one that comes before it in the order is READY, too", () => {
    const before = pickFirst.create(pickerInput([B]));
    before.pick(ANY, CALL);

    const after = pickFirst.create(pickerInput([A, B], { previous: before }));

    expect(after.pick(ANY, CALL)).toBe(B);
  });

  it("takes the first in order when its choice is gone", () => {
    const before = pickFirst.create(pickerInput([C]));
    before.pick(ANY, CALL);

    const after = pickFirst.create(pickerInput([A, B], { previous: before }));

    expect(after.pick(ANY, CALL)).toBe(A);
  });
});
