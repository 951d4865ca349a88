import { connectivityState as State, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { A, ChannelBench, IDEMPOTENT, readyBench } from "../support/channel-bench.js";
import { unary } from "../support/test-call.js";
import { observed, openSockets } from "./closings.js";

describe("close()", () => {
  it("of an idle channel is done at once, and leaves neither socket nor timer", async () => {
    const bench = await readyBench();

    await bench.channel.close();
    await bench.settle();

    expect(openSockets(bench)).toBe(0);
    expect(bench.clock.pendingTimers).toBe(0);
    expect(bench.channel.getConnectivityState(true)).toBe(State.SHUTDOWN);
  });

  it("of a channel that never connected is done at once", async () => {
    const bench = new ChannelBench();

    await bench.channel.close();

    expect(bench.network.dials).toHaveLength(0);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("waits for the calls that run, and takes no new ones", async () => {
    const bench = await readyBench();
    const call = await bench.unary();

    const closing = observed(bench.channel.close());
    const refused = await bench.unary();
    await bench.advance(10_000);
    expect(closing.isDone).toBe(false);

    bench.network.current.ok();
    await bench.settle();

    expect(closing.isDone).toBe(true);
    expect(call.status.code).toBe(status.OK);
    expect(refused.status).toMatchObject({
      code: status.CANCELLED,
      reason: "CLIENT_CLOSED",
      processed: "no",
      attempts: [],
    });
    expect(openSockets(bench)).toBe(0);
  });

  it("lets a call finish that was started in the same turn", async () => {
    const bench = await readyBench();
    const call = unary(bench.channel);

    const closing = observed(bench.channel.close());
    await bench.settle();
    bench.network.current.ok();
    await bench.settle();

    expect(call.status.code).toBe(status.OK);
    expect(closing.isDone).toBe(true);
  });

  it("waits for calls in a backoff and in the queue, too", async () => {
    const bench = await readyBench({ ...IDEMPOTENT, maxStreamsPerConnection: 1 });
    const queuedBehind = await bench.unary();
    const queued = await bench.unary();
    const closing = observed(bench.channel.close());

    bench.network.current.fail(status.UNAVAILABLE);
    await bench.settle();
    bench.network.current.ok();
    await bench.advance(100);
    bench.network.current.ok();
    await bench.settle();

    expect([queuedBehind.status.code, queued.status.code]).toEqual([status.OK, status.OK]);
    expect(closing.isDone).toBe(true);
  });

  it("ends what still runs after drainMs, to the millisecond, and says so", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const call = await bench.unary();
    const closing = observed(bench.channel.close({ drainMs: 500 }));

    await bench.advance(499);
    expect(call.isOver).toBe(false);
    await bench.advance(1);

    expect(call.status).toMatchObject({
      code: status.CANCELLED,
      reason: "CLIENT_CLOSED",
      processed: "maybe",
    });
    expect(call.status.details).toContain("500 ms of draining are over");
    expect(closing.isDone).toBe(true);
    expect(bench.network.calls).toHaveLength(1);
    expect(openSockets(bench)).toBe(0);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("waits 30 s by default, or as long as the channel's drainMs says", async () => {
    const patient = await readyBench({ timeoutMs: null });
    const hasty = await readyBench({ timeoutMs: null, drainMs: 50 });
    const calls = [await patient.unary(), await hasty.unary()];
    void patient.channel.close();
    void hasty.channel.close();

    await patient.advance(29_999);
    await hasty.advance(50);

    expect(calls.map((call) => call.isOver)).toEqual([false, true]);
  });

  it("may be called again, and by a listener that hears of it, and is one close", async () => {
    const bench = await readyBench();
    const call = await bench.unary();
    const closings: { isDone: boolean }[] = [];
    bench.channel.onEvent(({ type }) => {
      if (type === "channel.state" && closings.length === 0) closings.push(observed(bench.channel.close()));
    });

    closings.push(observed(bench.channel.close()), observed(bench.channel.close()));
    bench.network.current.ok();
    await bench.settle();

    expect(call.isOver).toBe(true);
    expect(closings.map(({ isDone }) => isDone)).toEqual([true, true, true]);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("refuses a call that a listener makes as it hears of the close", async () => {
    const bench = await readyBench();
    const calls: ReturnType<typeof unary>[] = [];
    bench.channel.onEvent((event) => {
      if (event.type === "channel.state" && event.to === "SHUTDOWN") calls.push(unary(bench.channel));
    });

    await bench.channel.close();
    await bench.settle();

    expect(calls[0]?.status.reason).toBe("CLIENT_CLOSED");
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("C13: in the middle of a dial leaks neither socket nor timer", async () => {
    const bench = new ChannelBench();
    bench.network.plan(A, "hang");
    await bench.ready();

    await bench.channel.close();
    await bench.advance(60_000);

    expect(openSockets(bench)).toBe(0);
    expect(bench.clock.pendingTimers).toBe(0);
    expect(bench.network.dials).toHaveLength(1);
  });

  it("wakes those who watch the channel's state", async () => {
    const bench = await readyBench();
    let woken = 0;
    bench.channel.watchConnectivityState(State.READY, bench.clock.epoch() + 60_000, () => woken++);

    await bench.channel.close();
    await bench.settle();

    expect(woken).toBe(1);
    expect(bench.clock.pendingTimers).toBe(0);
  });
});
