import { describe, expect, it } from "vitest";
import { AskedToWait } from "../../../src/discovery/consul/blocking-query.js";
import { answer, ScriptedQuestion } from "./scripted-question.js";

const DOWN = new Error("connect ECONNREFUSED");

describe("BlockingQuery: the index", () => {
  it("asks without one first, then with the one of each answer", async () => {
    const asking = new ScriptedQuestion();
    asking.query.start();

    await asking.reply(answer(5n), 2_000);
    await asking.reply(answer(9n), 2_000);

    expect(asking.indices).toEqual([null, 5n, 9n]);
  });

  it("keeps an index that has not moved", async () => {
    const asking = new ScriptedQuestion();
    asking.query.start();

    await asking.reply(answer(5n), 2_000);
    await asking.reply(answer(5n), 60_000);

    expect(asking.indices).toEqual([null, 5n, 5n]);
  });

  it.each([
    ["goes backwards", 4n],
    ["is zero", 0n],
    ["is missing, or no number", null],
  ])("begins anew when it %s", async (_what, index) => {
    const asking = new ScriptedQuestion();
    asking.query.start();

    await asking.reply(answer(5n), 2_000);
    await asking.reply(answer(index), 2_000);

    expect(asking.indices).toEqual([null, 5n, null]);
  });

  it("counts with indices beyond 2^53", async () => {
    const asking = new ScriptedQuestion();
    asking.query.start();

    await asking.reply(answer(9_007_199_254_740_993n), 2_000);
    await asking.reply(answer(9_007_199_254_740_992n), 2_000);

    expect(asking.indices).toEqual([null, 9_007_199_254_740_993n, null]);
  });

  it("is forgotten after a failure, since a server that lost its state would wait for it in vain", async () => {
    const asking = new ScriptedQuestion();
    asking.query.start();

    await asking.reply(answer(5n), 2_000);
    await asking.reply(DOWN, 2_000);
    await asking.clock.advance(1_000);

    expect(asking.indices).toEqual([null, 5n, null]);
  });
});

describe("BlockingQuery: the pace", () => {
  it.each([
    ["the same index", answer(5n)],
    ["no index", answer(null)],
    ["an index of zero", answer(0n)],
    ["a failure", DOWN],
    ["a wish to come back after no time", new AskedToWait("429", 0)],
  ])("asks a server that answers at once with %s at most once a second", async (_what, reply) => {
    const asking = new ScriptedQuestion(1_000, 0).always(reply);

    asking.query.start();
    await asking.clock.advance(600_000);

    expect(Math.min(...asking.gapsMs)).toBeGreaterThanOrEqual(1_000);
    expect(asking.asked.length).toBeGreaterThan(20);
    asking.query.close();
  });

  it("asks a server that answers at once with a new index each time at most once a second", async () => {
    const asking = new ScriptedQuestion();
    asking.query.start();

    for (let index = 1n; index <= 100n; index++) {
      await asking.reply(answer(index));
      await asking.clock.advance(1_000);
    }

    expect(new Set(asking.gapsMs)).toEqual(new Set([1_000]));
    expect(asking.answers).toHaveLength(100);
  });

  it("asks at once after a question that took longer than the interval", async () => {
    const asking = new ScriptedQuestion();
    asking.query.start();

    await asking.reply(answer(5n), 1_000);

    expect(asking.gapsMs).toEqual([1_000]);
  });

  it("never spins, not even when no interval is wanted", async () => {
    const asking = new ScriptedQuestion(0).always(answer(5n));

    asking.query.start();
    await asking.clock.advance(1_000);

    expect(asking.asked).toHaveLength(21);
    asking.query.close();
  });

  it("waits longer after each failure in a row, up to 30 s", async () => {
    const asking = new ScriptedQuestion().always(DOWN);

    asking.query.start();
    await asking.clock.advance(130_000);

    expect(asking.gapsMs.map(Math.round)).toEqual([
      1_000, 1_600, 2_560, 4_096, 6_554, 10_486, 16_777, 26_844, 30_000, 30_000,
    ]);
    asking.query.close();
  });

  it("is as patient as at the beginning after an answer", async () => {
    const asking = new ScriptedQuestion();
    asking.query.start();
    await asking.reply(DOWN);
    await asking.clock.advance(1_000);
    await asking.reply(DOWN);
    await asking.clock.advance(1_600);

    await asking.reply(answer(5n), 2_000);
    await asking.reply(DOWN);
    await asking.clock.advance(1_000);

    expect(asking.gapsMs).toEqual([1_000, 1_600, 2_000, 1_000]);
  });

  it("stays away as long as the server asks, when that is longer than the backoff", async () => {
    const asking = new ScriptedQuestion().always(new AskedToWait("429", 20_000));

    asking.query.start();
    await asking.clock.advance(20_000);

    expect(asking.gapsMs).toEqual([20_000]);
    asking.query.close();
  });
});

describe("BlockingQuery: refresh", () => {
  it("makes the next question one that is answered at once, and brings it no nearer", async () => {
    const asking = new ScriptedQuestion();
    asking.query.start();
    await asking.reply(answer(5n));

    for (let call = 0; call < 1_000; call++) asking.query.refresh();
    await asking.clock.advance(999);
    const early = asking.asked.length;
    await asking.clock.advance(1);

    expect(early).toBe(1);
    expect(asking.indices).toEqual([null, null]);
  });

  it("leaves a question that is out alone", async () => {
    const asking = new ScriptedQuestion();
    asking.query.start();
    await asking.reply(answer(5n), 1_000);

    asking.query.refresh();
    await asking.clock.advance(60_000);

    expect(asking.indices).toEqual([null, 5n]);
    expect(asking.asked[1]?.signal.aborted).toBe(false);
  });

  it("does not shorten the wait after a failure", async () => {
    const asking = new ScriptedQuestion().always(new AskedToWait("429", 20_000));
    asking.query.start();
    await asking.clock.advance(0);

    asking.query.refresh();
    await asking.clock.advance(19_999);

    expect(asking.asked).toHaveLength(1);
    asking.query.close();
  });

  it("does nothing before the start and after the close", async () => {
    const asking = new ScriptedQuestion();

    asking.query.refresh();
    asking.query.close();
    asking.query.refresh();
    await asking.clock.advance(60_000);

    expect(asking.asked).toEqual([]);
  });
});

describe("BlockingQuery: what it tells", () => {
  it("tells every answer and every failure, in order", async () => {
    const asking = new ScriptedQuestion();
    asking.query.start();

    await asking.reply(answer(5n, "a"), 1_000);
    await asking.reply(answer(5n, "a"), 1_000);
    await asking.reply(DOWN, 1_000);

    expect(asking.answers).toEqual(["a", "a"]);
    expect(asking.failures).toEqual(["connect ECONNREFUSED"]);
  });

  it("watches while a question with an index is out, and only then", async () => {
    const asking = new ScriptedQuestion();
    const watched: boolean[] = [];
    const look = () => void watched.push(asking.query.isWatching);

    look();
    asking.query.start();
    look();
    await asking.reply(answer(5n), 1_000);
    look();
    await asking.reply(answer(6n));
    look();
    await asking.clock.advance(1_000);
    look();
    await asking.reply(DOWN);
    look();
    asking.query.close();
    look();

    expect(watched).toEqual([false, false, true, false, true, false, false]);
  });

  it.each([
    ["an answer", answer(5n)],
    ["a failure", DOWN],
  ])("leaves no timer when it is closed in the pause after %s", async (_what, reply) => {
    const asking = new ScriptedQuestion();
    asking.query.start();
    await asking.reply(reply);

    asking.query.close();

    expect(asking.clock.pendingTimers).toBe(0);
  });

  it("says nothing after the close, cancels the question that is out, and leaves no timer", async () => {
    const asking = new ScriptedQuestion();
    asking.query.start();

    asking.query.close();
    await asking.reply(answer(5n));
    await asking.clock.advance(60_000);

    expect(asking.asked.map(({ signal }) => signal.aborted)).toEqual([true]);
    expect([asking.answers, asking.failures, asking.clock.pendingTimers]).toEqual([[], [], 0]);
  });
});
