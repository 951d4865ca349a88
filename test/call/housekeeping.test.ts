import { expect, it } from "vitest";
import { Housekeeping } from "../../src/call/housekeeping.js";
import { ManualClock } from "../support/manual-clock.js";

/** The housekeeping of a channel that is busy or not as the test says. */
function housekeeping(idleTimeoutMs: number | null = 10_000, verifyAfterIdleMs: number | null = 60_000) {
  const clock = new ManualClock();
  const owner = { busy: false, ticks: 0, idles: 0, pauses: [] as string[] };
  const house = new Housekeeping(clock, idleTimeoutMs, verifyAfterIdleMs, {
    isBusy: () => owner.busy,
    isWatchful: false,
    onTick: () => {
      owner.ticks++;
    },
    onPause: (cause) => void owner.pauses.push(cause),
    onIdle: () => {
      owner.idles++;
    },
  });
  return { clock, owner, house };
}

it("ticks once a second while calls run, with one timer however many say so", async () => {
  const { clock, owner, house } = housekeeping();
  owner.busy = true;
  for (let call = 0; call < 5; call++) house.wake(clock.now(), clock.epoch());
  expect(clock.pendingTimers).toBe(1);

  await clock.advance(3_000);

  expect(owner.ticks).toBe(3);
});

it("stops ticking when no call runs, and tells of idleness once, after the whole idle time", async () => {
  const { clock, owner, house } = housekeeping();
  house.wake(clock.now(), clock.epoch());

  await clock.advance(10_999);
  expect(owner).toMatchObject({ ticks: 0, idles: 0 });
  await clock.advance(60_000);

  expect(owner.idles).toBe(1);
  expect(clock.pendingTimers).toBe(0);
});

it("begins the idle time anew with every use", async () => {
  const { clock, owner, house } = housekeeping();
  for (let use = 0; use < 6; use++) {
    house.wake(clock.now(), clock.epoch());
    await clock.advance(9_000);
  }
  expect(owner.idles).toBe(0);

  await clock.advance(2_000);

  expect(owner.idles).toBe(1);
});

it("is never idle while a call runs that began just before", async () => {
  const { clock, owner, house } = housekeeping();
  house.wake(clock.now(), clock.epoch());
  await clock.advance(10_500);
  owner.busy = true;
  house.wake(clock.now(), clock.epoch());

  await clock.advance(120_000);

  expect(owner.idles).toBe(0);
});

it("sets no idle timer where idling is off", async () => {
  const { clock, owner, house } = housekeeping(null);
  house.wake(clock.now(), clock.epoch());

  await clock.advance(1_000);

  expect(clock.pendingTimers).toBe(0);
  expect(owner.idles).toBe(0);
});

it.each([500, 5_000])("leaves no timer once it is stopped, after %d ms of use", async (afterMs) => {
  const { clock, owner, house } = housekeeping();
  house.wake(clock.now(), clock.epoch());
  await clock.advance(afterMs);

  house.stop();
  await clock.advance(60_000);

  expect(clock.pendingTimers).toBe(0);
  expect(owner).toMatchObject({ ticks: 0, idles: 0 });
});

it("keeps nobody's process alive", () => {
  const { clock, house } = housekeeping();

  house.wake(clock.now(), clock.epoch());

  expect(clock.keepAliveTimers).toBe(0);
});
