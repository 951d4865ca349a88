import { describe, expect, it } from "vitest";
import type { AskFamily } from "../../../src/discovery/dns/ask-family.js";
import { FamilyPatience } from "../../../src/discovery/dns/family-patience.js";
import { ManualClock, settle } from "../../support/manual-clock.js";

const NEVER = new Promise<void>(() => {});
const six: AskFamily = async () => ({ addresses: [], ttlMs: null });

function patience() {
  const clock = new ManualClock();
  return { clock, subject: new FamilyPatience(clock) };
}

/** Tells whether a wait is over. */
function watched(wait: Promise<void>): { isOver: boolean } {
  const state = { isOver: false };
  void wait.then(() => {
    state.isOver = true;
  });
  return state;
}

describe("FamilyPatience", () => {
  it("waits for 200 ms", async () => {
    const { clock, subject } = patience();
    const wait = watched(subject.wait(NEVER));

    await clock.advance(199);
    const before = wait.isOver;
    await clock.advance(1);

    expect([before, wait.isOver, clock.pendingTimers]).toEqual([false, true, 0]);
  });

  it("waits no longer than for the answers", async () => {
    const { clock, subject } = patience();

    await subject.wait(Promise.resolve());

    expect(clock.pendingTimers).toBe(0);
  });

  it("waits no more once it is cancelled", async () => {
    const { clock, subject } = patience();
    const wait = watched(subject.wait(NEVER));

    subject.cancel();
    await subject.wait(NEVER);
    await settle();

    expect([wait.isOver, clock.pendingTimers]).toEqual([true, 0]);
  });

  it("takes a family for silent until it answers", async () => {
    const { clock, subject } = patience();
    const before = subject.isSilent(six);
    subject.noteLate(six, clock.now());
    const late = subject.isSilent(six);

    subject.noteAnswered(six);

    expect([before, late, subject.isSilent(six)]).toEqual([false, true, false]);
  });

  it("does not take a family for silent that has answered another host in the meantime", async () => {
    const { clock, subject } = patience();
    const askedAt = clock.now();
    await clock.advance(1);

    subject.noteAnswered(six);
    subject.noteLate(six, askedAt);

    expect(subject.isSilent(six)).toBe(false);
  });

  it("counts an answer as in time before the other family's, and for 200 ms after it", async () => {
    const { clock, subject } = patience();
    const since = clock.now();

    await clock.advance(199);
    const atTheEnd = subject.isInTime(since);
    await clock.advance(1);

    expect([subject.isInTime(null), atTheEnd, subject.isInTime(since)]).toEqual([true, true, false]);
  });
});
