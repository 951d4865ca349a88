import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { callOptions } from "../../src/call/index.js";
import { A, B, ChannelBench, IDEMPOTENT, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";
import { serverStream } from "../support/test-call.js";

const NO_ATTEMPT_LIMIT = { ...IDEMPOTENT, attemptTimeoutMs: null };

describe("the deadline of the call", () => {
  it("R12: ends a wait for a retry with DEADLINE_EXCEEDED, not with the last attempt's status", async () => {
    const bench = await readyBench(NO_ATTEMPT_LIMIT);
    const call = await bench.unary({ deadline: bench.clock.epoch() + 60 });
    bench.network.current.fail(status.UNAVAILABLE, "busy");
    await bench.advance(59);
    expect(call.isOver).toBe(false);

    await bench.advance(1);

    expect(call.status).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      reason: "DEADLINE_EXCEEDED",
      origin: "local",
      processed: "maybe",
    });
    expect(call.status.details).toContain("last failure: busy");
    expect(bench.network.calls).toHaveLength(1);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("R50: ends a running attempt, once, and says that the server may have run it", async () => {
    const bench = await readyBench();
    const call = await bench.unary({ deadline: bench.clock.epoch() + 500 });

    await bench.advance(500);

    expect(call.statuses).toHaveLength(1);
    expect(call.status).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      reason: "DEADLINE_EXCEEDED",
      processed: "maybe",
    });
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("R51: already past sends nothing", async () => {
    const bench = await readyBench();

    const call = await bench.unary({ deadline: bench.clock.epoch() - 1 });

    expect(call.status).toMatchObject({ code: status.DEADLINE_EXCEEDED, processed: "no", attempts: [] });
    expect(bench.network.calls).toHaveLength(0);
  });

  it("R47, R56: runs while no endpoint is ready, and blames none for it", async () => {
    const bench = new ChannelBench();
    bench.network.plan(A, "hang");
    const call = await bench.unary({ deadline: bench.clock.epoch() + 800 });

    await bench.advance(800);

    expect(call.status).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      reason: "NO_READY_ENDPOINT",
      processed: "no",
    });
    expect(call.status.details).toContain("1 CONNECTING");
    expect(bench.channel.endpoints()[0]?.breaker).toBe("closed");
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("is 30 s by default for a call with a single response", async () => {
    const bench = await readyBench();
    const call = await bench.unary();

    await bench.advance(29_999);
    expect(call.isOver).toBe(false);
    await bench.advance(1);

    expect(call.status.code).toBe(status.DEADLINE_EXCEEDED);
  });

  it("is none by default for a stream of responses", async () => {
    const bench = await readyBench();
    const call = serverStream(bench.channel);
    await bench.settle();
    call.flow();

    await bench.advance(3_600_000);

    expect(call.isOver).toBe(false);
    expect(bench.network.current.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  it("R55: months away does not end the call at once", async () => {
    const bench = new ChannelBench();
    bench.network.plan(A, "hang");
    const call = await bench.unary({ deadline: bench.clock.epoch() + 60 * 24 * 3_600_000 });

    await bench.advance(5_000);

    expect(call.isOver).toBe(false);
  });

  it("of callOptions({ timeoutMs }) covers every attempt and every wait", async () => {
    const bench = await readyBench(NO_ATTEMPT_LIMIT);
    const call = await bench.unary({ deadline: callOptions({ timeoutMs: 250 }).deadline as Date });
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.advance(100);
    bench.network.current.fail(status.UNAVAILABLE);

    await bench.advance(150);

    expect(call.status.code).toBe(status.DEADLINE_EXCEEDED);
    expect(bench.network.calls).toHaveLength(2);
  });
});

describe("the limit of one attempt", () => {
  it("R54: ends only the attempt, which is retried elsewhere, and is what the server is told", async () => {
    const bench = await readyBench({ ...IDEMPOTENT, attemptTimeoutMs: 300 }, { addresses: [A, B] });
    const call = await bench.unary();
    expect(bench.network.current.timeoutAt(bench.clock.epoch())).toBe(300);

    await bench.advance(400);
    expect(new Set(bench.network.route)).toEqual(new Set([A, B]));
    bench.network.current.ok();
    await bench.settle();

    expect(call.status.code).toBe(status.OK);
  });

  it("R54: is the caller's error only when no attempt is left", async () => {
    const bench = await readyBench({ ...IDEMPOTENT, attemptTimeoutMs: 300 });
    const call = await bench.unary();

    await bench.advance(10_000);

    expect(bench.network.calls).toHaveLength(3);
    expect(call.status).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      reason: "RETRIES_EXHAUSTED",
      processed: "maybe",
    });
    expect(call.status.attempts?.map(({ reason }) => reason)).toEqual(Array(3).fill("ATTEMPT_TIMEOUT"));
  });

  it("is not retried where the method is not declared idempotent, and keeps its own reason", async () => {
    const bench = await readyBench({ attemptTimeoutMs: 300 });
    const call = await bench.unary();

    await bench.advance(300);

    expect(call.status).toMatchObject({ reason: "ATTEMPT_TIMEOUT", processed: "maybe" });
    expect(bench.network.calls).toHaveLength(1);
  });

  it("is a share of the time of an idempotent unary call by default", async () => {
    const bench = await readyBench(IDEMPOTENT);

    await bench.unary({ deadline: bench.clock.epoch() + 900 });

    expect(bench.network.current.timeoutAt(bench.clock.epoch())).toBe(300);
  });

  it("never outlives the call", async () => {
    const bench = await readyBench({ ...IDEMPOTENT, attemptTimeoutMs: 5_000 });
    const call = await bench.unary({ deadline: bench.clock.epoch() + 700 });

    await bench.advance(700);

    expect(call.status.reason).toBe("DEADLINE_EXCEEDED");
    expect(bench.network.calls).toHaveLength(1);
  });

  it("R52: is what a server's cancel means when it comes as the time runs out", async () => {
    const bench = await readyBench({ ...IDEMPOTENT, attemptTimeoutMs: 300 });
    await bench.unary();
    await bench.advance(299);

    bench.network.current.fail(status.CANCELLED, "deadline");
    await bench.settle();
    await bench.advance(100);

    expect(bench.network.calls).toHaveLength(2);
  });

  it("costs one token for attempts that time out together on one connection", async () => {
    const bench = await readyBench({ ...IDEMPOTENT, attemptTimeoutMs: 300 });
    for (let call = 0; call < 5; call++) await bench.unary();

    await bench.advance(300);

    expect(bench.channel.stats().throttle?.tokens).toBe(19);
    expect(bench.channel.endpoints()[0]?.breaker).toBe("closed");
  });

  it("makes a silent connection suspect, so that the retry goes elsewhere and so do new calls", async () => {
    const bench = await readyBench({ ...IDEMPOTENT, attemptTimeoutMs: 300 }, { addresses: [A, B] });
    await bench.unary();
    const [first = ""] = bench.network.route;

    await bench.advance(300);
    for (let call = 0; call < 3; call++) await bench.unary();

    expect(bench.eventsOf("connection.suspect").map(({ endpoint }) => endpoint)).toEqual([first]);
    expect(bench.network.route.slice(1)).not.toContain(first);
  });
});
