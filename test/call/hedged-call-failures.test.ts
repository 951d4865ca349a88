import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { A, B, NOTHING_LEFT } from "../support/channel-bench.js";
import { answer, failAttempt, hedgedBench } from "./hedges.js";

describe("a failure of a hedged attempt", () => {
  it("that is fatal ends the call at once, and the others with it (R34)", async () => {
    const bench = await hedgedBench();
    const call = await bench.unary();
    await bench.advance(50);

    await failAttempt(bench, 1, {}, status.NOT_FOUND);

    expect(call.status).toMatchObject({ code: status.NOT_FOUND, details: "scripted", reason: "REMOTE" });
    expect(bench.network.call(0).cancelledWith?.code).toBe(status.CANCELLED);
    await bench.advance(1_000);
    expect(bench.network.calls).toHaveLength(2);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("that is the last of all is the call's, with the whole story, and no retry follows (R36)", async () => {
    const bench = await hedgedBench();
    const call = await bench.unary();
    for (const index of [0, 1, 2]) await failAttempt(bench, index);

    await bench.advance(60_000);

    expect(bench.network.calls).toHaveLength(3);
    expect(call.status).toMatchObject({
      code: status.UNAVAILABLE,
      reason: "REMOTE",
      processed: "maybe",
    });
    expect(call.status.attempts?.map(({ attempt, next }) => [attempt, next])).toEqual([
      [1, "next attempt at once"],
      [2, "next attempt at once"],
      [3, "no further attempt: 3 of 3 attempts used"],
    ]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("counts against its endpoint's breaker where it was its own (R41)", async () => {
    const bench = await hedgedBench({ breaker: { consecutiveFailures: 1 } }, { addresses: [A, B] });
    await bench.unary();
    await failAttempt(bench, 0);
    await answer(bench, 1);

    const failed = bench.network.call(0).peer;
    const breakers = bench.channel.endpoints().map(({ address, breaker }) => [address === failed, breaker]);
    expect(breakers).toContainEqual([true, "open"]);
    expect(breakers).toContainEqual([false, "closed"]);
  });

  it("of two in one turn starts two attempts, neither inside that turn (R33)", async () => {
    const bench = await hedgedBench({ hedging: { maxAttempts: 4, delayMs: 50 } });
    await bench.unary();
    await bench.advance(50);

    bench.network.call(0).fail(status.UNAVAILABLE);
    bench.network.call(1).fail(status.UNAVAILABLE);
    await bench.settle();
    expect(bench.network.calls).toHaveLength(2);
    await bench.advance(0);

    expect(bench.network.calls).toHaveLength(4);
  });

  it("by its own time limit is followed by the next, and the last one surfaces (R54)", async () => {
    const bench = await hedgedBench({ attemptTimeoutMs: 100, hedging: { maxAttempts: 2, delayMs: 5_000 } });
    const call = await bench.unary();

    await bench.advance(100);
    expect(bench.network.calls).toHaveLength(2);
    await bench.advance(100);

    expect(call.status).toMatchObject({ code: status.DEADLINE_EXCEEDED, reason: "RETRIES_EXHAUSTED" });
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});

describe("the deadline of a hedged call", () => {
  it("is what ends all its attempts, not a failure of one of them", async () => {
    const bench = await hedgedBench();
    const call = await bench.unary({ deadline: bench.clock.epoch() + 80 });

    await bench.advance(80);
    expect(bench.network.calls).toHaveLength(2);
    bench.network.call(0).endLocally(status.DEADLINE_EXCEEDED, "Deadline exceeded after 0.080s");
    await bench.settle();

    expect(call.status).toMatchObject({ code: status.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" });
    expect(call.status.details).toContain("the deadline of the call passed");
    expect(call.status.details).not.toContain("has failed for good");
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});

describe("a hedged attempt that no application has seen", () => {
  it("is made again without counting, and the plan goes on beside it (R21)", async () => {
    const bench = await hedgedBench();
    const call = await bench.unary();
    await bench.advance(20);

    bench.network.call(0).refuse();
    await bench.advance(0);
    expect(bench.network.calls.map(({ previousAttempts }) => previousAttempts)).toEqual([
      undefined,
      undefined,
    ]);
    await bench.advance(30);
    expect(bench.network.calls).toHaveLength(3);
    await answer(bench, 1);

    expect(call.messages).toEqual(["answer 1"]);
    expect(bench.channel.stats().calls).toMatchObject({ attempts: 3, transparentRetries: 1 });
    expect(bench.channel.stats().throttle?.tokens).toBe(20);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("is made again however often it never left the client, at a falling rate (R21)", async () => {
    const bench = await hedgedBench({ hedging: { maxAttempts: 2, delayMs: 100_000 } });
    const call = await bench.unary({ deadline: bench.clock.epoch() + 10_000 });

    for (let n = 0; n < 30; n++) {
      bench.network.current.neverSend();
      await bench.advance(1_000);
    }

    expect(call.status.code).toBe(status.DEADLINE_EXCEEDED);
    expect(bench.network.calls.length).toBeGreaterThan(8);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("does not spin where every attempt fails as it begins (R21)", async () => {
    const bench = await hedgedBench({}, { addresses: [A] });
    bench.network.last(A).createCall = () => {
      throw new Error("Channel has been shut down");
    };
    const call = await bench.unary({ deadline: bench.clock.epoch() + 1_000 });

    await bench.advance(1_000);

    expect(call.isOver).toBe(true);
    expect(bench.channel.stats().calls.attempts).toBeLessThan(100);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("is not made again where grpc-js refuses the call itself, which ends it (E46)", async () => {
    const bench = await hedgedBench({}, { addresses: [A] });
    bench.network.last(A).createCall = () => {
      throw new TypeError("no such option");
    };

    const call = await bench.unary();
    await bench.advance(1_000);

    expect(call.status).toMatchObject({ code: status.INTERNAL, processed: "no" });
    expect(bench.channel.stats().calls.attempts).toBe(1);
  });
});

describe("the throttle and a hedged call", () => {
  const throttle = { maxTokens: 2, tokenRatio: 1 };

  it("returns a failure at once that may have no successor, and tells that it is exhausted (R29, R30)", async () => {
    const bench = await hedgedBench({ retry: { throttle } });
    const call = await bench.unary();

    await failAttempt(bench, 0);

    expect(call.status.explanation).toContain("the retry throttle is at 1 of 2 tokens");
    expect(bench.eventsOf("throttle.exhausted")).toMatchObject([{ tokens: 1, maxTokens: 2 }]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("refuses hedges while it is exhausted, and allows them once successes have refilled it (R28, R30)", async () => {
    const bench = await hedgedBench({ retry: { throttle } });
    await bench.unary();
    await failAttempt(bench, 0);

    await bench.unary();
    await bench.advance(1_000);
    expect(bench.network.calls).toHaveLength(2);
    await answer(bench, 1);
    await bench.unary();
    await bench.advance(1_000);

    expect(bench.network.calls).toHaveLength(5);
    expect(bench.eventsOf("throttle.exhausted")).toHaveLength(1);
  });

  it("does not make a call wait for its further attempts when it refused one that pushback put off (R30)", async () => {
    const bench = await hedgedBench({ retry: { throttle } });
    const call = await bench.unary();
    await failAttempt(bench, 0, { "grpc-retry-pushback-ms": "100" });

    await bench.advance(99);
    expect(call.isOver).toBe(false);
    await bench.advance(1);

    expect(call.status.details).toBe("scripted");
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("loses one token for both attempts that one lost connection ends (R178)", async () => {
    const bench = await hedgedBench({ retry: { throttle: { maxTokens: 10 } } }, { addresses: [A] });
    await bench.unary();
    await bench.advance(100);
    expect(bench.network.calls).toHaveLength(3);

    bench.network.last(A).lose("read ECONNRESET");
    await bench.settle();

    expect(bench.channel.stats().throttle?.tokens).toBe(9);
  });
});
