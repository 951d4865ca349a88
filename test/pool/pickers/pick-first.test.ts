import { expect, it } from "vitest";
import { PICKER_POLICIES } from "../../../src/pool/pickers/index.js";
import { pickFirst } from "../../../src/pool/pickers/pick-first.js";
import type { Candidate } from "../../../src/pool/pickers/picker.js";

const [A, B]: [Candidate, Candidate] = [
  { endpoint: { address: "10.0.0.1:1" } },
  { endpoint: { address: "10.0.0.2:1" } },
];

it("pick_first sends every call to the first endpoint", () => {
  const picker = pickFirst.create([A, B], null, 0.9);

  const picks = Array.from({ length: 5 }, () => picker.pick({ accepts: () => true }));

  expect(new Set(picks)).toEqual(new Set([A]));
});

it("pick_first takes the next one when the filter refuses the first, and none when it refuses all", () => {
  const picker = pickFirst.create([A, B], null, 0);

  expect(picker.pick({ accepts: (candidate) => candidate !== A })).toBe(B);
  expect(picker.pick({ accepts: () => false })).toBeNull();
});

it("policies are found by gRPC's names, and say how much they connect", () => {
  expect(Object.entries(PICKER_POLICIES).map(([key, { name, connects }]) => [key, name, connects])).toEqual([
    ["round_robin", "round_robin", "all"],
    ["pick_first", "pick_first", "first"],
  ]);
});
