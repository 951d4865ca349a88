import { describe, expect, it } from "vitest";
import type { Clock, Endpoint } from "../../src/core/index.js";
import { LossGuard } from "../../src/discovery/loss-guard.js";
import { ManualClock } from "../support/manual-clock.js";
import { numbered } from "./scripted-source.js";

const OPTIONS = {
  minIntervalMs: 1_000,
  lookupTimeoutMs: 5_000,
  emptyGraceMs: 30_000,
  maxShrinkRatio: 0.5,
  shrinkGraceMs: 500,
};

/** A guard with a set in use, which follows what the guard says. */
class GuardBench {
  readonly clock = new ManualClock();
  current: readonly Endpoint[];
  /** When the guard asked for confirmation, in ms from the start. */
  readonly dueAt: number[] = [];
  readonly guard: LossGuard;
  readonly #startedAt = this.clock.now();

  constructor(count: number, options: Partial<typeof OPTIONS> = {}, clock?: Clock) {
    this.current = endpoints(numbered(count));
    this.guard = new LossGuard({ ...OPTIONS, ...options }, clock ?? this.clock, () =>
      this.dueAt.push(this.clock.now() - this.#startedAt),
    );
  }

  /** @returns how many are in use after this answer */
  answer(...addresses: readonly string[]): number {
    this.guard.noteAnswer();
    this.current = this.guard.judge(this.current, endpoints(addresses));
    return this.current.length;
  }

  /** An answer with the first so many. */
  answerFirst(count: number): number {
    return this.answer(...numbered(count));
  }

  get heldFor(): string | null {
    return this.guard.held === null ? null : `${this.guard.held.why} ${this.guard.held.lost.length}`;
  }
}

function endpoints(addresses: readonly string[]): Endpoint[] {
  return addresses.map((address) => ({ address }));
}

describe("what is believed at once", () => {
  it.each([
    [2, 1, 0.5, true],
    [4, 2, 0.5, true],
    [4, 1, 0.5, false],
    [9, 5, 0.5, true],
    [9, 4, 0.5, false],
    [3, 1, 0.5, false],
    [1, 0, 0.5, false],
    [10, 9, 0, false],
    [10, 1, 1, true],
    [10, 0, 1, false],
    [10, 7, 0.25, false],
    [10, 8, 0.25, true],
  ])(
    "of %i endpoints, an answer with %i and a ratio of %d: %s",
    (before, after, maxShrinkRatio, isBelieved) => {
      const bench = new GuardBench(before, { maxShrinkRatio });

      expect(bench.answerFirst(after)).toBe(isBelieved ? after : before);
      expect(bench.heldFor === null).toBe(isBelieved);
    },
  );

  it("is an answer that takes all away and brings as many others", () => {
    const bench = new GuardBench(3);

    bench.answer("x:1", "y:1", "z:1");

    expect(bench.current.map(({ address }) => address)).toEqual(["x:1", "y:1", "z:1"]);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("is all that an answer adds or changes, also beside a loss that is held", () => {
    const bench = new GuardBench(5);

    bench.current = bench.guard.judge(bench.current, [{ address: "n1:1", weight: 7 }, { address: "new:1" }]);
    bench.current = bench.guard.judge(bench.current, [{ address: "n1:1", weight: 7 }]);

    expect(bench.current).toEqual([
      { address: "n1:1", weight: 7 },
      { address: "new:1" },
      ...endpoints(["n2:1", "n3:1", "n4:1", "n5:1"]),
    ]);
  });

  it.each([
    ["emptyGraceMs", 0],
    ["shrinkGraceMs", 1],
  ])("is any loss of a kind whose %s is 0", (option, left) => {
    const bench = new GuardBench(4, { [option]: 0 });

    expect(bench.answerFirst(left)).toBe(left);
    expect(bench.clock.pendingTimers).toBe(0);
  });
});

describe("what is held", () => {
  it.each([
    ["empty", 0, 30_000],
    ["shrink", 1, 500],
  ])(
    "an answer that is %s is due for confirmation after its time, and a second one then is believed",
    async (why, left, graceMs) => {
      const bench = new GuardBench(9);
      bench.answerFirst(left);
      expect(bench.heldFor).toBe(`${why} ${9 - left}`);

      await bench.clock.advance(graceMs - 1);
      expect(bench.answerFirst(left)).toBe(9);
      await bench.clock.advance(1);

      expect(bench.dueAt).toEqual([graceMs]);
      expect(bench.answerFirst(left)).toBe(left);
      expect(bench.heldFor).toBe(null);
    },
  );

  it("is asked about once, and once more when nobody answers within the time of a question", async () => {
    const bench = new GuardBench(9);
    bench.answerFirst(1);

    await bench.clock.advance(600_000);

    expect(bench.dueAt).toEqual([500, 6_500]);
    expect(bench.heldFor).toBe("shrink 8");
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("is forgotten with an answer that takes nothing away", async () => {
    const bench = new GuardBench(9);
    bench.answerFirst(0);
    await bench.clock.advance(29_000);

    expect(bench.answerFirst(9)).toBe(9);
    expect(bench.heldFor).toBe(null);
    expect(bench.clock.pendingTimers).toBe(0);

    bench.answerFirst(0);
    await bench.clock.advance(29_000);
    expect(bench.dueAt).toEqual([]);
  });

  it("takes a smaller loss with it, which alone would be believed", async () => {
    const bench = new GuardBench(9);
    bench.answerFirst(1);

    expect(bench.answerFirst(8)).toBe(9);
    expect(bench.heldFor).toBe("shrink 1");
    await bench.clock.advance(500);

    expect(bench.answerFirst(8)).toBe(8);
  });

  it("an empty answer after a shrunk one has its own time, whether that was due or not", async () => {
    for (const waitedMs of [400, 500, 5_000]) {
      const bench = new GuardBench(9);
      bench.answerFirst(1);
      await bench.clock.advance(waitedMs);

      expect(bench.answerFirst(0)).toBe(9);
      await bench.clock.advance(29_999);
      expect(bench.answerFirst(0)).toBe(9);
      await bench.clock.advance(1);

      expect(bench.dueAt.at(-1)).toBe(waitedMs + 30_000);
      expect(bench.answerFirst(0)).toBe(0);
    }
  });

  it("a shrunk answer after an empty one waits for the rest of its time", async () => {
    const bench = new GuardBench(9);
    bench.answerFirst(0);
    await bench.clock.advance(10_000);

    expect(bench.answerFirst(1)).toBe(9);
    await bench.clock.advance(19_999);
    expect(bench.answerFirst(1)).toBe(9);
    await bench.clock.advance(1);

    expect(bench.dueAt).toEqual([30_000]);
    expect(bench.answerFirst(1)).toBe(1);
  });

  it("a shrunk answer in the last moment of an empty one still has its own time", async () => {
    const bench = new GuardBench(9);
    bench.answerFirst(0);
    await bench.clock.advance(29_900);
    bench.answerFirst(1);

    await bench.clock.advance(1_000);

    expect(bench.dueAt).toEqual([30_400]);
  });

  it("a shrunk answer confirms an empty one that is due", async () => {
    const bench = new GuardBench(9);
    bench.answerFirst(0);
    await bench.clock.advance(30_000);

    expect(bench.answerFirst(1)).toBe(1);
  });

  it("tells since when, through every change of kind", async () => {
    const bench = new GuardBench(9);
    const since = bench.clock.epoch();
    bench.answerFirst(1);
    await bench.clock.advance(300);
    bench.answerFirst(0);
    await bench.clock.advance(300);
    bench.answerFirst(1);

    expect(bench.guard.held).toMatchObject({ why: "shrink", since });
  });

  it("is due when its timer says so, though Node's fire a little early by the clock", async () => {
    const manual = new ManualClock();
    const early: Clock = {
      now: () => manual.now(),
      epoch: () => manual.epoch(),
      setTimer: (callback, delayMs, options) => manual.setTimer(callback, delayMs - 0.5, options),
    };
    const bench = new GuardBench(9, {}, early);
    bench.answerFirst(1);

    await manual.advance(499.5);

    expect(bench.dueAt).toHaveLength(1);
    expect(bench.answerFirst(1)).toBe(1);
  });
});

describe("a source that was down", () => {
  it("is not believed for emptyGraceMs when it comes back with less: 9, error, 1, 4, 8, 9 loses none", async () => {
    const bench = new GuardBench(9);
    bench.guard.noteFailure();
    await bench.clock.advance(60_000);

    for (const count of [1, 4, 5, 8]) {
      expect(bench.answerFirst(count)).toBe(9);
      await bench.clock.advance(5_000);
    }

    expect(bench.answerFirst(9)).toBe(9);
    expect(bench.heldFor).toBe(null);
    expect(bench.clock.pendingTimers).toBe(0);
    expect(bench.dueAt).toEqual([]);
  });

  it("is believed when it sticks to less for emptyGraceMs from its first answer", async () => {
    const bench = new GuardBench(9);
    bench.guard.noteFailure();
    await bench.clock.advance(60_000);
    bench.answerFirst(9);
    await bench.clock.advance(10_000);

    bench.answerFirst(1);
    await bench.clock.advance(19_999);
    expect(bench.answerFirst(1)).toBe(9);
    await bench.clock.advance(1);

    expect(bench.answerFirst(1)).toBe(1);
  });

  it("is a source like any other once that time is over", async () => {
    const bench = new GuardBench(9);
    bench.guard.noteFailure();
    bench.answerFirst(9);
    await bench.clock.advance(30_000);

    bench.answerFirst(1);
    await bench.clock.advance(500);

    expect(bench.answerFirst(1)).toBe(1);
  });

  it.each([
    ["empty", 0, 20_000, 10_000],
    ["shrunk", 1, 400, 29_600],
    ["shrunk and due", 1, 500, 29_500],
  ])(
    "needs no more than the grace of an empty one in all when it was %s before it failed, and is held all the while",
    async (_what, left, beforeMs, afterMs) => {
      const bench = new GuardBench(9);
      bench.answerFirst(left);
      const before = bench.guard.held;
      await bench.clock.advance(beforeMs);
      const asked = bench.dueAt.length;

      bench.guard.noteFailure();
      expect(bench.clock.pendingTimers).toBe(0);
      await bench.clock.advance(600_000);
      expect(bench.guard.held).toBe(before);
      expect(bench.answerFirst(left)).toBe(9);
      await bench.clock.advance(afterMs - 1);
      expect(bench.answerFirst(left)).toBe(9);
      await bench.clock.advance(1);

      expect(bench.guard.held).toBe(before);
      expect(bench.dueAt).toHaveLength(asked + 1);
      expect(bench.answerFirst(left)).toBe(left);
    },
  );

  it("is believed at once when an empty answer had lasted long enough before it failed", async () => {
    const bench = new GuardBench(9);
    bench.answerFirst(0);
    await bench.clock.advance(30_000);

    bench.guard.noteFailure();

    expect(bench.answerFirst(0)).toBe(0);
  });

  it("keeps no more than it named lately, though it is empty and not empty in turn, with others each time", async () => {
    const bench = new GuardBench(9);
    let [last, n] = [9, 0];

    for (let turn = 0; turn < 100; turn++) {
      bench.answer();
      await bench.clock.advance(5_000);
      last = bench.answer(`new${n++}:1`, `new${n++}:1`);
      await bench.clock.advance(11_000);
    }

    expect(last).toBeLessThanOrEqual(8);
  });

  it("is believed in the end, however often it fails between its answers", async () => {
    const bench = new GuardBench(9);

    for (let second = 0; second < 31; second++) {
      bench.answerFirst(1);
      await bench.clock.advance(1_000);
      bench.guard.noteFailure();
      await bench.clock.advance(1_000);
    }

    expect(bench.answerFirst(1)).toBe(1);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("holds a small loss, too, that comes after a failure in the middle of a great one", () => {
    const bench = new GuardBench(9);
    bench.answerFirst(1);
    bench.guard.noteFailure();

    expect(bench.answerFirst(8)).toBe(9);
  });

  it("may lose a few at once, as far as maxShrinkRatio lets any source", () => {
    const bench = new GuardBench(9);
    bench.guard.noteFailure();

    expect(bench.answerFirst(8)).toBe(8);
  });

  it("keeps the longer shrinkGraceMs where emptyGraceMs is shorter", async () => {
    const bench = new GuardBench(9, { emptyGraceMs: 0 });
    bench.guard.noteFailure();

    bench.answerFirst(1);
    await bench.clock.advance(500);

    expect(bench.dueAt).toEqual([500]);
  });
});

describe("release", () => {
  it("forgets what is held, and its timer", async () => {
    const bench = new GuardBench(9);
    bench.answerFirst(0);

    bench.guard.release();
    await bench.clock.advance(60_000);

    expect(bench.guard.held).toBe(null);
    expect(bench.dueAt).toEqual([]);
  });
});
