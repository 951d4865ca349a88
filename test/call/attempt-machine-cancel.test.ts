import { EventEmitter } from "node:events";
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { callOptions } from "../../src/call/index.js";
import { A, ChannelBench, IDEMPOTENT, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";
import { bidi, TestCall, unary } from "../support/test-call.js";

/** The part of a server call that a child call listens to. */
class Parent extends EventEmitter {
  getDeadline(): number {
    return Number.POSITIVE_INFINITY;
  }
}

describe("a cancel by the application", () => {
  it("in the turn in which the call began sends nothing", async () => {
    const bench = await readyBench();

    const call = unary(bench.channel).cancel();
    await bench.settle();

    expect(bench.network.calls).toHaveLength(0);
    expect(call.status).toMatchObject({ code: status.CANCELLED, reason: "CANCELLED", processed: "no" });
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("R53: of a running attempt reaches the server, and is never retried", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const call = await bench.unary();

    call.cancel();
    await bench.settle();
    await bench.advance(60_000);

    expect(bench.network.current.cancelledWith?.code).toBe(status.CANCELLED);
    expect(call.status).toMatchObject({
      code: status.CANCELLED,
      reason: "CANCELLED",
      origin: "local",
      processed: "maybe",
    });
    expect(call.status.details).toContain("Cancelled on client");
    expect(bench.network.calls).toHaveLength(1);
  });

  it("R20: in backoff ends the wait at once and starts no attempt", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const call = await bench.unary();
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.settle();

    call.cancel();
    await bench.settle();
    expect(call.status).toMatchObject({ code: status.CANCELLED, processed: "maybe" });

    await bench.advance(60_000);
    expect(bench.network.calls).toHaveLength(1);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("R20, C18: in the queue ends the wait at once, and the endpoint that comes up later gets nothing", async () => {
    const bench = new ChannelBench();
    bench.network.plan(A, "hang");
    const call = await bench.unary();
    expect(bench.channel.stats().callsQueued).toBe(1);

    call.cancel();
    await bench.network.last(A).accept();
    await bench.settle();

    expect(call.status).toMatchObject({ code: status.CANCELLED, processed: "no" });
    expect(bench.network.calls).toHaveLength(0);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("after the end changes nothing", async () => {
    const bench = await readyBench();
    const call = await bench.unary();
    bench.network.current.ok();
    await bench.settle();

    call.cancel();
    await bench.settle();

    expect(call.statuses).toHaveLength(1);
    expect(call.status.code).toBe(status.OK);
  });

  it("twice is one cancel", async () => {
    const bench = await readyBench();
    const call = await bench.unary();

    call.cancel().cancel();
    await bench.settle();

    expect(call.statuses).toHaveLength(1);
    expect(bench.channel.stats().calls.failed).toBe(1);
  });

  it("says nothing about the endpoint", async () => {
    const bench = await readyBench({ breaker: { consecutiveFailures: 1 } });
    const call = await bench.unary();

    call.cancel();
    await bench.settle();

    expect(bench.channel.endpoints()[0]?.breaker).toBe("closed");
    expect(bench.channel.stats().throttle?.tokens).toBe(20);
  });

  it("loses against an answer that is already here", async () => {
    const bench = await readyBench();
    const call = await bench.unary();

    bench.network.current.ok();
    call.cancel();
    await bench.settle();

    expect(call.statuses).toHaveLength(1);
  });

  it("before the call is started, as by an interceptor that is still waiting, ends it once and leaves nothing", async () => {
    const bench = await readyBench();
    const channel = { createCall: bench.channel.createCall.bind(bench.channel) };
    const createCall: typeof channel.createCall = (...args) => {
      const inner = channel.createCall(...args);
      inner.cancelWithStatus(status.CANCELLED, "Cancelled on client");
      return inner;
    };

    const call = new TestCall({ createCall });
    await bench.settle();

    expect(call.statuses).toHaveLength(1);
    expect(call.status.code).toBe(status.CANCELLED);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("before the call is started, in an earlier turn, still reaches the listener that comes later", async () => {
    const bench = await readyBench();
    const inner = bench.channel.createCall(
      "/test.Echo/Say",
      Number.POSITIVE_INFINITY,
      undefined,
      null,
      undefined,
    );
    inner.cancelWithStatus(status.CANCELLED, "Cancelled on client");
    await bench.settle();

    const call = new TestCall({ createCall: () => inner });
    await bench.settle();

    expect(call.statuses).toHaveLength(1);
    expect(bench.network.calls).toHaveLength(0);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});

describe("the caller's signal", () => {
  it("cancels in backoff, at once", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const controller = new AbortController();
    const deadline = callOptions({ signal: controller.signal }).deadline as Date;
    const call = await bench.unary({ deadline });
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.settle();

    controller.abort();
    await bench.settle();

    expect(call.status).toMatchObject({ code: status.CANCELLED, reason: "CANCELLED" });
    expect(call.status.details).toContain("aborted by its signal");
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("aborted before the call sends nothing", async () => {
    const bench = await readyBench();

    const call = await bench.unary({
      deadline: callOptions({ signal: AbortSignal.abort() }).deadline as Date,
    });

    expect(call.status.code).toBe(status.CANCELLED);
    expect(bench.network.calls).toHaveLength(0);
  });
});

describe("the parent call", () => {
  it("that is cancelled cancels a running attempt, once, and is let go of", async () => {
    const bench = await readyBench();
    const parent = new Parent();
    const call = await bench.unary({ parent: parent as never });

    parent.emit("cancelled");
    await bench.settle();

    expect(call.status).toMatchObject({ code: status.CANCELLED });
    expect(call.status.details).toContain("Cancelled by parent call");
    expect(parent.listenerCount("cancelled")).toBe(0);
  });

  it("is let go of when the call ends well", async () => {
    const bench = await readyBench();
    const parent = new Parent();
    await bench.unary({ parent: parent as never });

    bench.network.current.ok();
    await bench.settle();

    expect(parent.listenerCount("cancelled")).toBe(0);
  });
});

describe("R163: an end that the Client asks for itself", () => {
  it("keeps its code and words, and is not retried", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const call = bidi(bench.channel).write("one");
    await bench.settle();

    call.inner.cancelWithStatus(status.INTERNAL, "Request message serialization failure: x");
    await bench.settle();

    expect(call.status).toMatchObject({ code: status.INTERNAL });
    expect(call.status.details).toContain("Request message serialization failure: x");
    expect(bench.network.calls).toHaveLength(1);
  });
});
