import fc from "fast-check";
import { expect, it } from "vitest";
import { periodsOf } from "../../../src/pool/pickers/periods.js";

it.each([
  ["twice the weight is half the wait", [1, 2, 3], [2, 1, 2 / 3]],
  [
    "weights of zero, below zero or no number count as the mean of the others",
    [1, 0, -5, Number.NaN, 3],
    [2, 1, 1, 1, 2 / 3],
  ],
  ["an infinite weight counts as the mean of the others", [Number.POSITIVE_INFINITY, 1, 1], [1, 1, 1]],
  ["one usable weight is none to compare with", [9, 0, 0], [1, 1, 1]],
  ["weights too far apart are brought nearer", [1e-300, 1e300], [1e6, 0.5]],
  ["weights whose sum is infinite are still compared", [1e308, 1e308], [1, 1]],
  ["nobody waits for nobody", [], []],
])("turns by weight: %s (R122)", (_, weights, expected) => {
  expect([...periodsOf(Float64Array.from(weights))]).toEqual(expected.map((one) => expect.closeTo(one, 9)));
});

it("gives everyone a turn sooner or later, whatever the weights", () => {
  fc.assert(
    fc.property(fc.array(fc.double()), (weights) => {
      for (const period of periodsOf(Float64Array.from(weights))) {
        expect(period).toBeGreaterThanOrEqual(1e-6);
        expect(period).toBeLessThanOrEqual(1e6);
      }
    }),
  );
});
