import { Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { A, B, NOTHING_LEFT } from "../support/channel-bench.js";
import { serverStream } from "../support/test-call.js";
import { answer, failAttempt, hedgedBench } from "./hedges.js";

describe("the first answer to a hedged call", () => {
  it("is the call's, and the other attempts are cancelled at once (R35)", async () => {
    const bench = await hedgedBench();
    const call = await bench.unary();
    await bench.advance(100);

    await answer(bench, 1);

    expect(call.log).toEqual(["headers", "answer 1", "status"]);
    expect(call.status.code).toBe(status.OK);
    const cancelled = bench.network.calls.map(({ cancelledWith }) => cancelledWith?.code);
    expect(cancelled).toEqual([status.CANCELLED, undefined, status.CANCELLED]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("commits by its headers alone: no hedge starts afterwards, and a later failure is final (R35, R14)", async () => {
    const bench = await hedgedBench();
    const call = await bench.unary();
    await bench.advance(50);

    bench.network.call(0).headers();
    await bench.advance(1_000);
    expect(bench.network.calls).toHaveLength(2);
    expect(bench.network.call(1).cancelledWith?.code).toBe(status.CANCELLED);
    bench.network.call(0).failAfterHeaders(status.UNAVAILABLE);
    await bench.settle();

    expect(call.log).toEqual(["headers", "status"]);
    expect(call.status.code).toBe(status.UNAVAILABLE);
    expect(call.status.attempts?.at(-1)?.next).toContain("the response had begun");
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("shows its own headers and peer, and nothing of a loser (R35)", async () => {
    const bench = await hedgedBench();
    const call = serverStream(bench.channel).flow();
    await bench.settle();
    await bench.advance(50);
    const winner = new Metadata();
    winner.set("who", "first");

    bench.network.call(0).headers(winner);
    bench.network.call(1).message("of the loser");
    bench.network.call(0).message("of the winner");
    bench.network.call(1).okTrailers();
    bench.network.call(0).okTrailers();
    await bench.settle();

    expect(call.log).toEqual(["headers", "of the winner", "status"]);
    expect(call.headers[0]?.get("who")).toEqual(["first"]);
    expect(call.inner.getPeer()).toBe(bench.network.call(0).peer);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("hides a loser that goes on answering because it has not heard of its end yet (R35)", async () => {
    const bench = await hedgedBench();
    const call = serverStream(bench.channel).flow();
    await bench.settle();
    await bench.advance(50);
    const deaf = bench.network.call(0);
    deaf.cancelWithStatus = () => {};

    bench.network.call(1).message("of the winner");
    deaf.message("of the loser");
    deaf.okTrailers();
    await bench.settle();
    expect(call.isOver).toBe(false);
    bench.network.call(1).okTrailers();
    await bench.settle();

    expect(call.log).toEqual(["headers", "of the winner", "status"]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("may come in one frame with an OK and no message at all (R35)", async () => {
    const bench = await hedgedBench();
    const call = serverStream(bench.channel).flow();
    await bench.settle();
    await bench.advance(50);

    bench.network.call(1).okTrailers();
    await bench.settle();

    expect(call.status.code).toBe(status.OK);
    expect(bench.network.call(0).cancelledWith?.code).toBe(status.CANCELLED);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("gives the throttle one success, however many attempts there were (R28)", async () => {
    const bench = await hedgedBench({ retry: { throttle: { maxTokens: 20, tokenRatio: 0.1 } } });
    await bench.unary();
    await failAttempt(bench, 0);
    await bench.advance(50);

    await answer(bench, 2);

    expect(bench.channel.stats().throttle?.tokens).toBe(19.1);
  });
});

describe("a loser of a hedged call", () => {
  it("says nothing about its endpoint, however often it loses (R41)", async () => {
    const bench = await hedgedBench({ breaker: { consecutiveFailures: 2 } }, { addresses: [A, B] });

    for (let n = 0; n < 20; n++) {
      await bench.unary();
      await bench.advance(50);
      const slow = bench.network.calls.at(-2);
      bench.network.current.ok();
      await bench.settle();
      expect(slow?.cancelledWith?.code).toBe(status.CANCELLED);
    }

    const states = bench.channel.endpoints().map(({ breaker, isSuspect }) => [breaker, isSuspect]);
    expect(states).toEqual([
      ["closed", false],
      ["closed", false],
    ]);
  });

  it("that fails by itself in the turn of the answer counts no more than one that was cancelled (R41)", async () => {
    const bench = await hedgedBench({ breaker: { consecutiveFailures: 1 } }, { addresses: [A, B] });
    await bench.unary();
    await bench.advance(50);

    bench.network.call(1).headers();
    bench.network.call(0).fail(status.UNAVAILABLE);
    bench.network.call(1).ok();
    await bench.settle();

    expect(bench.channel.endpoints().map(({ breaker }) => breaker)).toEqual(["closed", "closed"]);
    expect(bench.channel.stats().throttle?.tokens).toBe(20);
  });

  it("that was a probe gives its permit back, so that the endpoint is probed again (R41)", async () => {
    const bench = await hedgedBench(
      { breaker: { consecutiveFailures: 1 }, hedging: { maxAttempts: 2, delayMs: 50 } },
      { addresses: [A, B] },
    );
    await bench.unary();
    const broken = bench.network.current.peer;
    await failAttempt(bench, 0);
    await answer(bench, 1);
    await bench.advance(30_000);
    const breakerOf = () => bench.channel.endpoints().find(({ address }) => address === broken)?.breaker;
    let lost = 0;

    // Each call is answered by the endpoint that is well, also where the probe was first.
    for (let n = 0; n < 6; n++) {
      const before = bench.network.calls.length;
      await bench.unary();
      await bench.advance(50);
      const made = bench.network.calls.slice(before);
      lost += made.filter(({ peer }) => peer === broken).length;
      made.find(({ peer }) => peer !== broken)?.ok();
      await bench.settle();
    }

    expect(breakerOf()).not.toBe("closed");
    expect(lost).toBeGreaterThan(1);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("is told of by events, once each: call.hedge as it starts, call.attempt as it ends (R41)", async () => {
    const bench = await hedgedBench();
    await bench.unary();
    await bench.advance(100);
    await answer(bench, 1);

    expect(bench.eventsOf("call.hedge")).toMatchObject([
      { method: "/test.Echo/Say", attempt: 2, inFlight: 1 },
      { attempt: 3, inFlight: 2 },
    ]);
    const ends = bench.eventsOf("call.attempt").map(({ attempt, code, ms }) => [attempt, code, ms]);
    expect(ends).toEqual([
      [1, status.CANCELLED, 100],
      [3, status.CANCELLED, 0],
      [2, status.OK, 50],
    ]);
  });

  it("is counted as an attempt and a hedge, and as no failure (R41)", async () => {
    const bench = await hedgedBench();
    await bench.unary();
    await bench.advance(100);
    await answer(bench, 2);

    expect(bench.channel.stats().calls).toMatchObject({
      started: 1,
      succeeded: 1,
      failed: 0,
      attempts: 3,
      hedges: 2,
      retries: 0,
    });
  });

  it("stands in the attempt trail of the success, with why it was cancelled (R41)", async () => {
    const bench = await hedgedBench();
    const call = await bench.unary();
    await bench.advance(50);
    await answer(bench, 1);

    expect(call.status.attempts).toMatchObject([
      {
        attempt: 1,
        endpoint: bench.network.call(0).peer,
        startedMs: 0,
        ms: 50,
        code: status.CANCELLED,
        reason: "CANCELLED",
        origin: "local",
        processed: "maybe",
        next: "another attempt of the call was answered first",
      },
    ]);
  });
});
