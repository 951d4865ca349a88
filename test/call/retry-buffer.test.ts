import { describe, expect, it, vi } from "vitest";
import { BufferBudget, Outbox } from "../../src/call/retry-buffer.js";

const bytes = (length: number): Buffer => Buffer.alloc(length);

describe("the budget of the retry buffer", () => {
  it("R19: has a limit per call and one per channel, each usable to the last byte", () => {
    const budget = new BufferBudget(100, 150);

    expect(budget.take(100, 0)).toBe(true);
    expect(budget.take(51, 0)).toBe(false);
    expect(budget.take(50, 0)).toBe(true);
    expect(budget.takenBytes).toBe(150);
  });

  it("counts what the call already holds", () => {
    const budget = new BufferBudget(100, 1_000);

    expect(budget.take(41, 60)).toBe(false);
    expect(budget.take(40, 60)).toBe(true);
  });

  it("takes nothing when it refuses, and gives back what is released", () => {
    const budget = new BufferBudget(100, 100);
    budget.take(101, 0);
    expect(budget.takenBytes).toBe(0);

    budget.take(100, 0);
    budget.release(100);

    expect(budget.takenBytes).toBe(0);
    expect(budget.take(100, 0)).toBe(true);
  });
});

describe("the outbox", () => {
  it("keeps the messages in order while a replay may need them", () => {
    const outbox = new Outbox(new BufferBudget(100, 100));
    const [first, second] = [bytes(1), bytes(2)];
    outbox.add(first);
    outbox.add(second);

    outbox.forgetBefore(2);

    expect([outbox.at(0), outbox.at(1), outbox.at(2)]).toEqual([first, second, undefined]);
    expect(outbox.end).toBe(2);
    expect(outbox.isReplayable).toBe(true);
  });

  it("R15: a message that overflows it is sent all the same, but ends replaying for the whole stream", () => {
    const budget = new BufferBudget(100, 100);
    const outbox = new Outbox(budget);
    outbox.add(bytes(60));

    const large = bytes(41);
    outbox.add(large);

    expect(outbox.isReplayable).toBe(false);
    expect(outbox.at(1)).toBe(large);
    expect(budget.takenBytes).toBe(0);
  });

  it("R18: takes no more of the budget once replaying has ended", () => {
    const budget = new BufferBudget(100, 100);
    const outbox = new Outbox(budget);
    outbox.stopReplay();

    outbox.add(bytes(50));

    expect(budget.takenBytes).toBe(0);
  });

  it("R18: forgets what was sent once no replay can need it, and keeps the numbering", () => {
    const outbox = new Outbox(new BufferBudget(100, 100));
    const third = bytes(3);
    for (const one of [bytes(1), bytes(2), third]) outbox.add(one);

    outbox.stopReplay();
    outbox.forgetBefore(2);

    expect([outbox.at(0), outbox.at(1)]).toEqual([undefined, undefined]);
    expect(outbox.at(2)).toBe(third);
    expect(outbox.end).toBe(3);
  });

  it("gives its bytes back once, however often it ends", () => {
    const budget = new BufferBudget(100, 100);
    const other = new Outbox(budget);
    other.add(bytes(10));
    const outbox = new Outbox(budget);
    outbox.add(bytes(30));

    outbox.stopReplay();
    outbox.close();
    outbox.close();

    expect(budget.takenBytes).toBe(10);
  });

  it("holds a message once that grpc-js has and nobody will send again", () => {
    const outbox = new Outbox(new BufferBudget(100, 100));
    outbox.add(bytes(101));
    outbox.add(bytes(102), 2);

    outbox.onSent(0);
    outbox.onSent(1);

    expect(outbox.at(0)).toHaveLength(0);
    expect(outbox.at(1)).toMatchObject({ message: { length: 0 }, flags: 2 });
    expect(outbox.end).toBe(2);
  });

  it("holds on to what was sent while a replay may need it", () => {
    const outbox = new Outbox(new BufferBudget(100, 100));
    outbox.add(bytes(5));

    outbox.onSent(0);

    expect(outbox.at(0)).toHaveLength(5);
  });

  it("calls the callbacks of messages that were never sent, once, so that no writer waits for ever", async () => {
    const outbox = new Outbox(new BufferBudget(100, 100));
    const [first, second] = [vi.fn(), vi.fn()];
    outbox.add(bytes(1), undefined, first);
    outbox.add(bytes(1));
    outbox.add(bytes(1), undefined, second);

    outbox.close();
    outbox.close();
    await new Promise((resolve) => setImmediate(resolve));

    expect(first).toHaveBeenCalledTimes(1);
    expect(second).toHaveBeenCalledTimes(1);
  });
});
