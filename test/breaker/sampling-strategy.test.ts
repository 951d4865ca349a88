import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type BreakerOptions, breakerRuleSchema } from "../../src/breaker/breaker-options.js";
import { createStrategy } from "../../src/breaker/create-strategy.js";
import { COCKATIELS } from "./cockatiels.js";

/** A wall clock that cockatiel reads too: of the fake timers `Date` alone, as nothing else is used. */
const wallClock = {
  now: () => 0,
  epoch: () => Date.now(),
  setTimer: () => ({ cancel: () => {} }),
};
const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: 1_700_000_000_000 }));
afterEach(() => void vi.useRealTimers());

describe.each(COCKATIELS)("sampling with cockatiel %s", (_version, cockatiel) => {
  const strategyFor = (sampling: BreakerOptions["sampling"]) =>
    createStrategy(breakerRuleSchema.parse({ sampling }), wallClock, cockatiel);

  it("opens once the share of failures within the time is reached", () => {
    const strategy = strategyFor({ durationMs: 10_000, threshold: 0.5, minimumRps: 1 });
    const answers: boolean[] = [];

    for (let second = 0; second < 10; second++) {
      strategy.success();
      answers.push(strategy.failure());
      pass(1_000);
    }

    // Ten calls in ten seconds are one a second.
    expect(answers.indexOf(true)).toBe(4);
  });

  it("stays closed while there are too few calls, or too few of them fail", () => {
    const rare = strategyFor({ durationMs: 10_000, minimumRps: 2 });
    const rather = strategyFor({ durationMs: 1_000, minimumRps: 1, threshold: 0.5 });
    rather.success();
    rather.success();

    expect(Array.from({ length: 19 }, () => rare.failure())).not.toContain(true);
    expect(rare.failure()).toBe(true);
    expect([rather.failure(), rather.failure()]).toEqual([false, true]);
  });

  it("opens at a threshold of 1 when all calls fail, and only then", () => {
    const all = strategyFor({ durationMs: 1_000, threshold: 1, minimumRps: 2 });
    const most = strategyFor({ durationMs: 1_000, threshold: 1, minimumRps: 2 });
    most.success();

    expect([all.failure(), all.failure()]).toEqual([false, true]);
    expect([most.failure(), most.failure()]).toEqual([false, false]);
  });

  it("forgets failures as they grow older than the time", () => {
    const strategy = strategyFor({ durationMs: 10_000, threshold: 0.5, minimumRps: 1 });
    for (let call = 0; call < 9; call++) strategy.failure();
    for (let second = 0; second < 10; second++) {
      pass(1_000);
      for (let call = 0; call < 5; call++) strategy.success();
    }

    // Counted with the nine of before, these would be half of all.
    const answers = Array.from({ length: 41 }, () => strategy.failure());
    expect(answers.indexOf(true)).toBe(-1);
  });

  it("adds no failure to those of before a quiet time", () => {
    const strategy = strategyFor({ durationMs: 10_000, threshold: 0.5, minimumRps: 1 });
    for (let call = 0; call < 9; call++) strategy.failure();

    pass(10_000);

    expect(strategy.failure()).toBe(false);
  });

  it("goes on after the wall clock was set back by an hour", () => {
    const strategy = strategyFor({ durationMs: 10_000, threshold: 0.5, minimumRps: 1 });
    for (let call = 0; call < 9; call++) strategy.failure();
    pass(-3_600_000);
    strategy.success();

    for (let second = 0; second < 20; second++) {
      pass(1_000);
      strategy.success();
    }

    // Had nothing been forgotten since, there would be too many successes.
    const answers = Array.from({ length: 10 }, () => strategy.failure());
    expect(answers).toContain(true);
  });

  it("takes a small step back of the wall clock as no reason to begin anew", () => {
    const strategy = strategyFor({ durationMs: 10_000, threshold: 0.5, minimumRps: 1 });
    for (let call = 0; call < 9; call++) strategy.failure();

    pass(-20);

    expect(strategy.failure()).toBe(true);
  });
});
