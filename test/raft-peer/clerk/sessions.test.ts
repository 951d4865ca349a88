import { expect, it } from "vitest";
import { ProbeSchedule } from "../../../src/raft-peer/clerk/probe-schedule.js";
import { type Session, SessionPool } from "../../../src/raft-peer/clerk/sessions.js";
import { fixedRandom } from "../../support/seeded-random.js";

function pool(count: number, maxWaiters = 10): SessionPool {
  let id = 0n;
  return new SessionPool(count, maxWaiters, () => ++id);
}

it("lends each session to one at a time, and hands it on in the order of asking", () => {
  const sessions = pool(1);
  const got: string[] = [];
  const first = sessions.borrow({ onSession: () => {} }) as Session;
  for (const name of ["a", "b", "c"]) sessions.borrow({ onSession: () => got.push(name) });

  sessions.giveBack(first);
  sessions.giveBack(first);

  expect(got).toEqual(["a", "b"]);
  expect(sessions.waiting).toBe(1);
});

it("passes over who does not want a session any more", () => {
  const sessions = pool(1);
  const got: string[] = [];
  const first = sessions.borrow({ onSession: () => {} }) as Session;
  const gone = { onSession: () => got.push("gone") };
  sessions.borrow(gone);
  sessions.borrow({ onSession: () => got.push("next") });
  sessions.forget(gone);

  sessions.giveBack(first);

  expect(got).toEqual(["next"]);
});

it("counts ids up from 0, and never back", () => {
  const session = pool(1).borrow({ onSession: () => {} }) as Session;

  expect([session.nextIds(), session.nextIds()].map(({ commandId }) => commandId)).toEqual([0n, 1n]);
});

it("refuses who would have to wait behind too many", () => {
  const sessions = pool(0, 1);
  const waiter = () => ({ onSession: () => {} });

  expect(sessions.borrow(waiter())).toBeNull();
  expect(sessions.borrow(waiter())).toBe("full");
});

it.each([
  ["no chance", 0, 3, [0, 50, 100, 200, 200]],
  ["most chance, which only makes it rarer", 1, 3, [0, 60, 120, 240, 240]],
  ["twice the servers, half as often", 0, 6, [0, 50, 100, 200, 400, 400]],
] as const)("asks at once, then at doubling intervals: %s", (_, chance, servers, intervals) => {
  const schedule = new ProbeSchedule({ initialIntervalMs: 50, maxIntervalMs: 200 }, fixedRandom(chance));
  let now = 1_000;

  const waits = intervals.map(() => {
    const wait = schedule.delayMs(now);
    now += wait;
    schedule.began(now, servers);
    return wait;
  });

  expect(waits).toEqual(intervals);
  schedule.reset();
  expect(schedule.delayMs(now)).toBe(0);
});
