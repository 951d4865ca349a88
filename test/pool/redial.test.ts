import { expect, it } from "vitest";
import type { Connection } from "../../src/pool/connection.js";
import { Redial } from "../../src/pool/redial.js";
import { ManualClock } from "../support/manual-clock.js";

function redial() {
  const clock = new ManualClock();
  const log: string[] = [];
  let made = 0;
  const newConnection = (): Connection => {
    const name = `dial ${made++}`;
    return { kill: () => void log.push(`${name} ended`) } as Connection;
  };
  const sut = new Redial(clock, { newConnection, onWaitOver: () => void log.push("wait over") });
  return { clock, log, sut };
}

it("waits until the instant it is given, and says how long that is", async () => {
  const { clock, log, sut } = redial();
  sut.waitUntil(clock.now() + 1_000);
  await clock.advance(400);
  expect([sut.isWaiting, sut.retryInMs]).toEqual([true, 600]);

  await clock.advance(599);
  expect(log).toEqual([]);
  await clock.advance(1);

  expect(log).toEqual(["wait over"]);
  expect([sut.isWaiting, sut.retryInMs]).toEqual([false, null]);
});

it("never says a negative time, for an instant that is over", () => {
  const { clock, sut } = redial();

  sut.waitUntil(clock.now() - 500);

  expect(sut.retryInMs).toBe(0);
});

it("waits for one instant only: a new one takes the place of the last", async () => {
  const { clock, log, sut } = redial();
  sut.waitUntil(clock.now() + 1_000);
  sut.waitUntil(clock.now() + 3_000);
  expect(clock.pendingTimers).toBe(1);

  await clock.advance(5_000);

  expect(log).toEqual(["wait over"]);
});

it("a dial ends the wait for it (R61)", async () => {
  const { clock, log, sut } = redial();
  sut.waitUntil(clock.now() + 1_000);

  sut.begin();
  await clock.advance(5_000);

  expect([sut.isDialling, sut.isWaiting, log]).toEqual([true, false, []]);
});

it("stopping ends the dial and the wait, and a dial that is over is left alone", () => {
  const { clock, log, sut } = redial();
  sut.begin();
  sut.stop();
  expect([log, sut.isDialling]).toEqual([["dial 0 ended"], false]);

  sut.begin();
  sut.ended();
  sut.waitUntil(clock.now() + 1_000);
  sut.stop();

  expect(log).toEqual(["dial 0 ended"]);
  expect(clock.pendingTimers).toBe(0);
});

it("keeps nobody's process alive while it waits", () => {
  const { clock, sut } = redial();

  sut.waitUntil(clock.now() + 1_000);

  expect(clock.keepAliveTimers).toBe(0);
});
