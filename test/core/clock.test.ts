import { afterEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/core/clock.js";

const DAY_MS = 24 * 3_600_000;

/** Timers that keep this process alive, as Node counts them. */
function keepAliveTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}

afterEach(() => {
  vi.useRealTimers();
});

describe("a timer of the system clock", () => {
  it("fires once, after its delay and not before", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const onFire = vi.fn();
    systemClock.setTimer(onFire, 500);

    vi.advanceTimersByTime(499);
    expect(onFire).not.toHaveBeenCalled();

    vi.advanceTimersByTime(10_000);
    expect(onFire).toHaveBeenCalledTimes(1);
  });

  it("R55: waits out a delay that Node would turn into a millisecond", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const onFire = vi.fn();
    systemClock.setTimer(onFire, 60 * DAY_MS);

    vi.advanceTimersByTime(60 * DAY_MS - 1);
    expect(onFire).not.toHaveBeenCalled();

    vi.advanceTimersByTime(1);
    expect(onFire).toHaveBeenCalledTimes(1);
  });

  it("R55: can be cancelled in the second leg of a long delay", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const onFire = vi.fn();
    const timer = systemClock.setTimer(onFire, 60 * DAY_MS);
    vi.advanceTimersByTime(30 * DAY_MS);

    timer.cancel();

    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(60 * DAY_MS);
    expect(onFire).not.toHaveBeenCalled();
  });

  it("never fires for an infinite delay", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const onFire = vi.fn();
    systemClock.setTimer(onFire, Number.POSITIVE_INFINITY);

    vi.advanceTimersByTime(200 * DAY_MS);

    expect(onFire).not.toHaveBeenCalled();
  });

  it.each([0, -5])("never fires inside the call that sets it (delay %d)", (delayMs) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const onFire = vi.fn();

    systemClock.setTimer(onFire, delayMs);

    expect(onFire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onFire).toHaveBeenCalledTimes(1);
  });

  it("can be cancelled twice, and after it fired", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const onFire = vi.fn();
    const timer = systemClock.setTimer(onFire, 10);
    vi.advanceTimersByTime(10);

    timer.cancel();
    timer.cancel();

    expect(onFire).toHaveBeenCalledTimes(1);
  });

  it("keeps the process alive when somebody awaits it", () => {
    const before = keepAliveTimers();

    const timer = systemClock.setTimer(() => {}, 60_000, { keepAlive: true });
    const during = keepAliveTimers();
    timer.cancel();

    expect(during).toBe(before + 1);
    expect(keepAliveTimers()).toBe(before);
  });

  it.each([60_000, 60 * DAY_MS])("lets the process end when it is housekeeping (%d ms)", (delayMs) => {
    const before = keepAliveTimers();

    const timer = systemClock.setTimer(() => {}, delayMs);
    const during = keepAliveTimers();
    timer.cancel();

    expect(during).toBe(before);
  });
});

describe("the system clock", () => {
  it("measures on a monotonic clock and dates by the epoch", () => {
    const epoch = Date.now();
    const first = systemClock.now();
    const second = systemClock.now();

    expect(second).toBeGreaterThanOrEqual(first);
    expect(Math.abs(systemClock.epoch() - epoch)).toBeLessThan(1_000);
    expect(Math.abs(systemClock.epoch() - systemClock.now())).toBeGreaterThan(DAY_MS);
  });
});
