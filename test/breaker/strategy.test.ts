import { ConsecutiveBreaker } from "cockatiel";
import { ConsecutiveBreaker as ConsecutiveBreaker4 } from "cockatiel-4";
import { describe, expect, it } from "vitest";
import { type ConsecutiveBreakerClass, consecutiveStrategy } from "../../src/breaker/strategy.js";

const versions: [version: string, breakerClass: ConsecutiveBreakerClass][] = [
  ["3", ConsecutiveBreaker],
  ["4", ConsecutiveBreaker4],
];

it("runs the two versions of cockatiel, not one of them twice", () => {
  expect(ConsecutiveBreaker4).not.toBe(ConsecutiveBreaker);
});

describe.each(versions)("opening with cockatiel %s", (_version, breakerClass) => {
  it.each([1, 2, 5])("says open on exactly the failure the user set: %i", (consecutiveFailures) => {
    const strategy = consecutiveStrategy(consecutiveFailures, breakerClass);

    const answers = Array.from({ length: consecutiveFailures }, () => strategy.failure());

    expect(answers).toEqual([...Array(consecutiveFailures - 1).fill(false), true]);
  });

  it("counts anew after a success", () => {
    const strategy = consecutiveStrategy(3, breakerClass);
    strategy.failure();
    strategy.failure();

    strategy.success();

    expect([strategy.failure(), strategy.failure(), strategy.failure()]).toEqual([false, false, true]);
  });

  it("goes on saying open when it was not heeded", () => {
    const strategy = consecutiveStrategy(2, breakerClass);
    strategy.failure();
    strategy.failure();

    expect(strategy.failure()).toBe(true);
  });
});

it("uses the installed cockatiel when none is named", () => {
  const strategy = consecutiveStrategy(2);

  expect([strategy.failure(), strategy.failure()]).toEqual([false, true]);
});
