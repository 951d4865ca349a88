import { connectivityState as State } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { A, readyBench } from "../support/channel-bench.js";
import { serverStream } from "../support/test-call.js";

describe("R63, R172, B19: an idle channel", () => {
  const IDLE = { idleTimeoutMs: 10_000 };

  it("closes its connections when no call was made for long enough, and the next call wakes it", async () => {
    const bench = await readyBench(IDLE);
    await bench.unary();
    bench.network.current.ok();
    await bench.advance(15_000);
    expect(bench.channel.getConnectivityState(false)).toBe(State.IDLE);
    expect(bench.network.last(A).socket.destroyed).toBe(true);
    expect(bench.clock.pendingTimers).toBe(0);

    await bench.unary();

    expect(bench.network.dialsOf(A)).toHaveLength(2);
    expect(bench.network.calls).toHaveLength(2);
  });

  it("is not idle while calls keep coming", async () => {
    const bench = await readyBench(IDLE);
    for (let call = 0; call < 8; call++) {
      await bench.unary();
      bench.network.current.ok();
      await bench.advance(6_000);
    }

    expect(bench.network.dialsOf(A)).toHaveLength(1);
  });

  it("is not idle while a stream is open, however quiet", async () => {
    const bench = await readyBench(IDLE);
    serverStream(bench.channel);
    await bench.settle();

    await bench.advance(120_000);

    expect(bench.channel.getConnectivityState(false)).toBe(State.READY);
  });

  it("goes idle also when it was only connected and never called", async () => {
    const bench = await readyBench(IDLE);

    await bench.advance(15_000);

    expect(bench.channel.getConnectivityState(false)).toBe(State.IDLE);
  });

  it("never goes idle when that is turned off, and its housekeeping stops by itself", async () => {
    const bench = await readyBench({ idleTimeoutMs: null });
    await bench.unary();
    bench.network.current.ok();
    await bench.advance(3_000);

    expect(bench.clock.pendingTimers).toBe(0);
    expect(bench.channel.getConnectivityState(false)).toBe(State.READY);
  });

  it("keeps nobody's process alive by its housekeeping", async () => {
    const bench = await readyBench();
    await bench.unary();
    bench.network.current.ok();
    await bench.settle();

    expect(bench.clock.keepAliveTimers).toBe(0);
    expect(bench.clock.pendingTimers).toBeGreaterThan(0);
  });
});
