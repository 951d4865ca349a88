import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { A, ChannelBench, NOTHING_LEFT } from "../support/channel-bench.js";
import { unary } from "../support/test-call.js";
import { answer, failAttempt, HEDGED, hedgedBench } from "./hedges.js";

/** A call is made while the only dial hangs. */
async function dialling(): Promise<ChannelBench> {
  const bench = new ChannelBench(HEDGED, { addresses: [A] });
  bench.network.plan(A, "hang");
  unary(bench.channel, { deadline: bench.clock.epoch() + 5_000 });
  await bench.settle();
  return bench;
}

describe("a hedged call that waits for an endpoint", () => {
  it("uses up none of its attempts by it, and starts them a delay apart once there is one (R45, R32)", async () => {
    const bench = await dialling();

    await bench.advance(1_000);
    expect(bench.channel.stats()).toMatchObject({ callsQueued: 1, calls: { attempts: 0 } });
    await bench.network.last(A).accept();
    await bench.settle();
    expect(bench.network.calls).toHaveLength(1);

    await bench.advance(49);
    expect(bench.network.calls).toHaveLength(1);
    await bench.advance(51);
    expect(bench.network.calls).toHaveLength(3);
    expect([bench.channel.stats().callsQueued, bench.clock.keepAliveTimers]).toEqual([0, 0]);
    await answer(bench, 2);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("ends with its deadline, and says what it waited for (R12, R56)", async () => {
    const bench = new ChannelBench(HEDGED, { addresses: [A] });
    bench.network.plan(A, "hang");
    const call = await bench.unary({ deadline: bench.clock.epoch() + 500 });

    await bench.advance(500);

    expect(call.status).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      reason: "NO_READY_ENDPOINT",
      processed: "no",
    });
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("ends with its caller's cancel (R20)", async () => {
    const bench = new ChannelBench(HEDGED, { addresses: [A] });
    bench.network.plan(A, "hang");
    const call = await bench.unary();

    call.cancel();
    await bench.settle();

    expect(call.status).toMatchObject({ code: status.CANCELLED, processed: "no" });
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});

describe("a hedge that finds no endpoint", () => {
  /** The first attempt is in flight; its only endpoint is taken out by the failures of others. */
  async function opened(options = {}) {
    const breaker = { consecutiveFailures: 1 };
    const bench = await hedgedBench({ breaker, retry: { throttle: false }, ...options }, { addresses: [A] });
    const call = await bench.unary();
    await bench.unary({ method: "/other.Service/Call" });
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.settle();
    expect(bench.channel.endpoints()[0]?.breaker).toBe("open");
    return { bench, call };
  }

  it("because the breaker is open is dropped, and costs the attempt in flight nothing (R41)", async () => {
    const { bench, call } = await opened();

    await bench.advance(100);
    expect(call.isOver).toBe(false);
    await answer(bench, 0);

    expect(call.messages).toEqual(["answer 0"]);
    expect(call.status.attempts).toMatchObject([
      { attempt: 2, endpoint: null, reason: "CIRCUIT_OPEN", next: "dropped: others are in flight" },
      { attempt: 3, endpoint: null },
    ]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("is not followed at once by the next, which would find none either (R33)", async () => {
    const { bench } = await opened();

    await bench.advance(50);
    expect(bench.channel.stats().calls.attempts).toBe(3);
    await bench.advance(50);

    expect(bench.channel.stats().calls.attempts).toBe(4);
  });

  it("ends the call where nothing is in flight (R34)", async () => {
    const { bench, call } = await opened();

    await failAttempt(bench, 0);

    expect(call.status).toMatchObject({ code: status.UNAVAILABLE, reason: "CIRCUIT_OPEN" });
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});

describe("the deadline of a hedged call", () => {
  it.each([
    ["with one attempt in flight", 30, 1],
    ["with all in flight", 400, 3],
  ])("ends it %s (R12, R20, R50)", async (_when, deadlineMs, attempts) => {
    const bench = await hedgedBench();
    const call = await bench.unary({ deadline: bench.clock.epoch() + deadlineMs });

    await bench.advance(deadlineMs);

    expect(call.status.code).toBe(status.DEADLINE_EXCEEDED);
    expect(bench.network.calls).toHaveLength(attempts);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("is left to the attempts in flight, which know best how far they got (R52)", async () => {
    const bench = await hedgedBench({}, { addresses: [A] });
    const dial = bench.network.last(A);
    const createCall = dial.createCall.bind(dial);
    // As timers go: grpc-js's own comes a little later than ours.
    dial.createCall = (method, deadline, host) => createCall(method, Number(deadline) + 5, host);
    const call = await bench.unary({ deadline: bench.clock.epoch() + 30 });

    await bench.advance(34);
    expect(call.isOver).toBe(false);
    await bench.advance(1);

    expect(call.status).toMatchObject({ reason: "DEADLINE_EXCEEDED", processed: "maybe" });
    expect(call.statuses).toHaveLength(1);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("ends a wait that pushback asked for, and names the failure before it (R12)", async () => {
    const bench = await hedgedBench();
    const call = await bench.unary({ deadline: bench.clock.epoch() + 100 });
    await failAttempt(bench, 0, { "grpc-retry-pushback-ms": "5000" });

    await bench.advance(100);

    expect(call.status).toMatchObject({ code: status.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" });
    expect(call.status.details).toContain("scripted");
    expect(bench.network.calls).toHaveLength(1);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("that has passed keeps an attempt from being made, also in the turn of the last failure (R51)", async () => {
    const bench = await hedgedBench({ attemptTimeoutMs: 100 });
    const call = await bench.unary({ deadline: bench.clock.epoch() + 100 });

    await bench.advance(1_000);

    expect(call.status.code).toBe(status.DEADLINE_EXCEEDED);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});

describe("a cancel by the caller of a hedged call", () => {
  it.each([
    ["in the turn of its start", 0, 0],
    ["with one attempt in flight", 10, 1],
    ["with all in flight", 100, 3],
  ])("ends it %s, and every attempt with it (R20, R53)", async (_when, afterMs, attempts) => {
    const bench = await hedgedBench();
    const call = unary(bench.channel);
    if (afterMs > 0) await bench.advance(afterMs);

    call.cancel();
    await bench.settle();

    expect(call.status).toMatchObject({ code: status.CANCELLED, reason: "CANCELLED" });
    const codes = bench.network.calls.map(({ cancelledWith }) => cancelledWith?.code);
    expect(codes).toEqual(Array(attempts).fill(status.CANCELLED));
    await bench.advance(1_000);
    expect(bench.network.calls).toHaveLength(attempts);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("ends it while pushback has it wait (R20)", async () => {
    const bench = await hedgedBench();
    const call = await bench.unary();
    await failAttempt(bench, 0, { "grpc-retry-pushback-ms": "5000" });

    call.cancel();
    await bench.advance(10_000);

    expect(call.status).toMatchObject({ code: status.CANCELLED, processed: "maybe" });
    expect(bench.network.calls).toHaveLength(1);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("after the answer has begun ends the winner (R53)", async () => {
    const bench = await hedgedBench();
    const call = await bench.unary();
    await bench.advance(50);
    bench.network.call(1).headers();

    call.cancel();
    await bench.settle();

    expect(call.log).toEqual(["headers", "status"]);
    expect(bench.network.call(1).cancelledWith?.code).toBe(status.CANCELLED);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("by a channel that is destroyed ends it, all attempts too (R20)", async () => {
    const bench = await hedgedBench();
    const call = await bench.unary();
    await bench.advance(50);

    await bench.channel.destroy();
    await bench.settle();

    expect(call.status).toMatchObject({ code: status.CANCELLED, reason: "CLIENT_CLOSED" });
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});
