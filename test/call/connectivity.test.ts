import { connectivityState as State } from "@grpc/grpc-js";
import { describe, expect, it, vi } from "vitest";
import { ConnectivityTracker, stateNumber } from "../../src/call/connectivity.js";
import type { ConnectivityWord } from "../../src/core/index.js";
import { ManualClock, settle } from "../support/manual-clock.js";

const NEVER = Number.POSITIVE_INFINITY;

function tracked() {
  const clock = new ManualClock();
  const changes: string[] = [];
  const tracker = new ConnectivityTracker(clock, (from, to) => void changes.push(`${from} > ${to}`));
  return { clock, changes, tracker };
}

describe("C09: the state of a channel", () => {
  it("is told once per change, never twice in a row", () => {
    const { changes, tracker } = tracked();

    for (const word of ["IDLE", "CONNECTING", "CONNECTING", "READY"] as const) tracker.set(word);

    expect(changes).toEqual(["IDLE > CONNECTING", "CONNECTING > READY"]);
  });

  it("is final once it is SHUTDOWN", () => {
    const { changes, tracker } = tracked();
    tracker.set("SHUTDOWN");

    tracker.set("READY");

    expect(tracker.word).toBe("SHUTDOWN");
    expect(changes).toEqual(["IDLE > SHUTDOWN"]);
  });

  it.each<[ConnectivityWord, State]>([
    ["IDLE", State.IDLE],
    ["CONNECTING", State.CONNECTING],
    ["READY", State.READY],
    ["TRANSIENT_FAILURE", State.TRANSIENT_FAILURE],
    ["SHUTDOWN", State.SHUTDOWN],
  ])("%s is grpc-js's own number", (word, number) => {
    expect(stateNumber(word)).toBe(number);
  });
});

describe("C09: who waits for a change", () => {
  it("hears of the next one, once, without an error, and leaves no timer", () => {
    const { clock, tracker } = tracked();
    const heard = vi.fn();
    tracker.watch(State.IDLE, clock.epoch() + 1_000, heard);

    tracker.set("CONNECTING");
    tracker.set("READY");

    expect(heard.mock.calls).toEqual([[]]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("is called back soon, but not at once, when the state is another one already", async () => {
    const { clock, tracker } = tracked();
    const heard = vi.fn();

    tracker.watch(State.READY, NEVER, heard);

    expect(heard).not.toHaveBeenCalled();
    await settle();
    expect(heard.mock.calls).toEqual([[]]);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([(epoch: number) => epoch + 1_000, (epoch: number) => new Date(epoch + 1_000)])(
    "is told when the time is up, and not before",
    async (deadlineAt) => {
      const { clock, tracker } = tracked();
      const heard = vi.fn();
      tracker.watch(State.IDLE, deadlineAt(clock.epoch()), heard);

      await clock.advance(999);
      expect(heard).not.toHaveBeenCalled();

      await clock.advance(1);
      expect(heard.mock.calls[0]?.[0]).toEqual(
        new Error("Deadline passed without connectivity state change"),
      );
      tracker.set("READY");
      expect(heard).toHaveBeenCalledTimes(1);
    },
  );

  it("keeps the process alive only while there is a deadline to wait for", () => {
    const { clock, tracker } = tracked();
    tracker.watch(State.IDLE, NEVER, () => {});
    expect(clock.keepAliveTimers).toBe(0);

    tracker.watch(State.IDLE, clock.epoch() + 1_000, () => {});

    expect(clock.keepAliveTimers).toBe(1);
  });

  it("hears of the shutdown, after which nobody can wait any more", () => {
    const { clock, tracker } = tracked();
    const heard = vi.fn();
    tracker.watch(State.IDLE, NEVER, heard);

    tracker.set("SHUTDOWN");

    expect(heard).toHaveBeenCalledTimes(1);
    expect(() => tracker.watch(State.SHUTDOWN, NEVER, () => {})).toThrow("Channel has been shut down");
    expect(clock.pendingTimers).toBe(0);
  });

  it("may wait again from inside the callback", () => {
    const { tracker } = tracked();
    const seen: ConnectivityWord[] = [];
    const again = (): void => {
      seen.push(tracker.word);
      if (tracker.word !== "SHUTDOWN") tracker.watch(stateNumber(tracker.word), NEVER, again);
    };
    tracker.watch(State.IDLE, NEVER, again);

    for (const word of ["CONNECTING", "READY", "SHUTDOWN"] as const) tracker.set(word);

    expect(seen).toEqual(["CONNECTING", "READY", "SHUTDOWN"]);
  });
});
