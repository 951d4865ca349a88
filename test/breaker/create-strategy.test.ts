import { describe, expect, it } from "vitest";
import { type BreakerOptions, breakerRuleSchema } from "../../src/breaker/breaker-options.js";
import { createStrategy } from "../../src/breaker/create-strategy.js";
import type { BreakerStrategy } from "../../src/breaker/strategy.js";
import { ManualClock } from "../support/manual-clock.js";
import { COCKATIELS } from "./cockatiels.js";

/** Tells a strategy of calls, `f` for a failure and `.` for a success. @returns what it said on each failure */
function told(strategy: BreakerStrategy, calls: string): boolean[] {
  const answers: boolean[] = [];
  for (const call of calls) {
    if (call === "f") answers.push(strategy.failure());
    else strategy.success();
  }
  return answers;
}

it("runs the two versions of cockatiel, not one of them twice", () => {
  const [three, four] = COCKATIELS.map(([, cockatiel]) => cockatiel);

  expect(four!.ConsecutiveBreaker).not.toBe(three!.ConsecutiveBreaker);
  expect(four!.CountBreaker).not.toBe(three!.CountBreaker);
  expect(four!.SamplingBreaker).not.toBe(three!.SamplingBreaker);
});

describe.each(COCKATIELS)("opening with cockatiel %s", (_version, cockatiel) => {
  const strategyFor = (options: BreakerOptions) =>
    createStrategy(breakerRuleSchema.parse(options), new ManualClock(), cockatiel);

  it.each([1, 2, 5])("says open on exactly the failure the user set: %i", (consecutiveFailures) => {
    const answers = told(strategyFor({ consecutiveFailures }), "f".repeat(consecutiveFailures));

    expect(answers).toEqual([...Array(consecutiveFailures - 1).fill(false), true]);
  });

  it("counts failures in a row anew after a success", () => {
    expect(told(strategyFor({ consecutiveFailures: 3 }), "ff.fff")).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  it("goes on saying open when it was not heeded", () => {
    expect(told(strategyFor({ consecutiveFailures: 2 }), "fff")).toEqual([false, true, true]);
  });

  it.each([
    ["half of the last ten, once there are ten", { size: 10 }, ".....ffff", false],
    ["half of the last ten, once there are ten", { size: 10 }, ".....fffff", true],
    ["as soon as there are enough", { size: 10, minimumCalls: 4 }, "..ff", true],
    ["not before there are enough", { size: 10, minimumCalls: 4 }, "fff", false],
    ["the last ones, whatever came before", { size: 4 }, "fff.....ff", true],
    ["the last ones, whatever came before", { size: 4 }, "ff.....f", false],
    ["all of them, where the threshold is 1", { size: 3, threshold: 1 }, ".fff", true],
    ["all of them, where the threshold is 1", { size: 3, threshold: 1 }, "f.ff", false],
    ["a share that has no exact number", { size: 100, threshold: 0.07 }, `${".".repeat(93)}fffffff`, true],
    ["a share that has no exact number", { size: 100, threshold: 0.07 }, `${".".repeat(94)}ffffff`, false],
  ] as const)("counts %s: %j after %s says %s", (_what, count, calls, isOpen) => {
    expect(told(strategyFor({ count }), calls).at(-1)).toBe(isOpen);
  });
});

it("uses the installed cockatiel when none is named", () => {
  const strategy = createStrategy({ consecutiveFailures: 2 }, new ManualClock());

  expect(told(strategy, "ff")).toEqual([false, true]);
});
