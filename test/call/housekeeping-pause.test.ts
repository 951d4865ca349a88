import { describe, expect, it } from "vitest";
import { Housekeeping } from "../../src/call/housekeeping.js";
import type { Clock } from "../../src/core/index.js";
import { ManualClock } from "../support/manual-clock.js";

/** A clock that leaps: as in a process that stood still, whose timers come late, or a machine that slept. */
class LeapingClock implements Clock {
  readonly #timers = new ManualClock();
  #leapMs = 0;
  #sleepMs = 0;

  now(): number {
    return this.#timers.now() + this.#leapMs;
  }

  epoch(): number {
    return this.#timers.epoch() + this.#leapMs + this.#sleepMs;
  }

  readonly setTimer: Clock["setTimer"] = (...timer) => this.#timers.setTimer(...timer);

  /** Time during which everything runs as it should. */
  pass(ms: number): Promise<void> {
    return this.#timers.advance(ms);
  }

  /** The process stands still: both clocks go on, and no timer fires. */
  freeze(ms: number): void {
    this.#leapMs += ms;
  }

  /** The machine sleeps: the monotonic clock stands still as well. */
  sleep(ms: number): void {
    this.#sleepMs += ms;
  }
}

function housekeeping(verifyAfterIdleMs: number | null = 60_000) {
  const clock = new LeapingClock();
  const owner = { busy: true, pauses: [] as string[] };
  const house = new Housekeeping(clock, null, verifyAfterIdleMs, {
    isBusy: () => owner.busy,
    isWatchful: false,
    onTick: () => {},
    onPause: (cause) => void owner.pauses.push(cause),
    onIdle: () => {},
  });
  const wake = (): void => house.wake(clock.now(), clock.epoch());
  return { clock, owner, house, wake };
}

describe("a pause is told of", () => {
  it("at the first call after so long without one, and not before", async () => {
    const { clock, owner, wake } = housekeeping();
    wake();
    owner.busy = false;
    await clock.pass(1_000);
    await clock.pass(59_000);
    wake();
    expect(owner.pauses).toEqual([]);
    await clock.pass(1_000);

    await clock.pass(60_000);
    wake();

    expect(owner.pauses).toEqual(["nothing was heard for 60000 ms"]);
  });

  it("once, however many calls come at that moment", async () => {
    const { clock, owner, wake } = housekeeping();
    wake();
    owner.busy = false;
    await clock.pass(200_000);

    for (let call = 0; call < 5; call++) wake();
    await clock.pass(1_000);

    expect(owner.pauses).toHaveLength(1);
  });

  it.each(["sleep", "freeze"] as const)(
    "when the clock shows a %s between two looks at running calls, at whatever idle time",
    async (leap) => {
      const { clock, owner, wake } = housekeeping(600_000);
      wake();
      await clock.pass(1_500);

      clock[leap](30_000);
      await clock.pass(500);

      expect(owner.pauses).toEqual(["nothing was heard for 31000 ms"]);
    },
  );

  it.each(["sleep", "freeze"] as const)(
    "when a call comes first after a %s, before any timer",
    async (leap) => {
      const { clock, owner, wake } = housekeeping(600_000);
      wake();
      await clock.pass(1_500);

      clock[leap](30_000);
      wake();

      expect(owner.pauses).toHaveLength(1);
    },
  );

  it("after a sleep between calls that the monotonic clock knows nothing of", async () => {
    const { clock, owner, wake } = housekeeping();
    wake();
    owner.busy = false;
    await clock.pass(2_000);

    clock.sleep(3_600_000);
    wake();

    expect(owner.pauses).toHaveLength(1);
  });
});

describe("no pause is told of", () => {
  it("for a timer that comes a little late", async () => {
    const { clock, owner, wake } = housekeeping();
    wake();

    clock.freeze(4_900);
    await clock.pass(1_000);

    expect(owner.pauses).toEqual([]);
  });

  it("while calls run without a gap, for however long", async () => {
    const { clock, owner, wake } = housekeeping();
    wake();

    await clock.pass(600_000);

    expect(owner.pauses).toEqual([]);
  });

  it("at the first call ever", async () => {
    const { clock, owner, wake } = housekeeping();
    await clock.pass(600_000);

    wake();

    expect(owner.pauses).toEqual([]);
  });

  it("where that is turned off", async () => {
    const { clock, owner, wake } = housekeeping(null);
    wake();
    await clock.pass(1_500);

    clock.sleep(3_600_000);
    await clock.pass(5_000);
    owner.busy = false;
    await clock.pass(600_000);
    wake();

    expect(owner.pauses).toEqual([]);
  });

  it("when the wall clock is put back", async () => {
    const { clock, owner, wake } = housekeeping();
    wake();
    await clock.pass(1_500);

    clock.sleep(-3_600_000);
    await clock.pass(5_000);
    wake();

    expect(owner.pauses).toEqual([]);
  });
});
