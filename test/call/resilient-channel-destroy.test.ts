import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { IDEMPOTENT, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";
import { bidi } from "../support/test-call.js";
import { observed, openSockets } from "./closings.js";

describe("destroy()", () => {
  it("ends every call now, in whatever wait, with the reason given, and closes every socket", async () => {
    const bench = await readyBench({ ...IDEMPOTENT, maxStreamsPerConnection: 2 });
    const backingOff = await bench.unary();
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.settle();
    const running = await bench.unary();
    const streaming = bidi(bench.channel).write("x");
    await bench.settle();
    const queued = await bench.unary();
    expect(bench.channel.stats()).toMatchObject({ callsInFlight: 4, callsQueued: 1 });

    bench.channel.destroy(new Error("process is going down"));
    await bench.settle();

    for (const call of [backingOff, running, streaming, queued]) {
      expect(call.statuses).toHaveLength(1);
      expect(call.status).toMatchObject({ code: status.CANCELLED, reason: "CLIENT_CLOSED" });
      expect(call.status.details).toContain("process is going down");
    }
    expect([running, queued].map((call) => call.status.processed)).toEqual(["maybe", "no"]);
    expect(openSockets(bench)).toBe(0);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("ends a drain that is under way", async () => {
    const bench = await readyBench();
    const call = await bench.unary();
    const closing = observed(bench.channel.close());

    bench.channel.destroy();
    await bench.settle();

    expect(closing.isDone).toBe(true);
    expect(call.status.reason).toBe("CLIENT_CLOSED");
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("blames no endpoint, opens no breaker, and retries nothing", async () => {
    const bench = await readyBench({ ...IDEMPOTENT, breaker: { consecutiveFailures: 1 } });
    await bench.unary();

    bench.channel.destroy();
    await bench.advance(10_000);

    expect(bench.eventsOf("breaker.state")).toEqual([]);
    expect(bench.eventsOf("connection.lost")).toEqual([]);
    expect(bench.network.calls).toHaveLength(1);
  });

  it("may be followed by close(), which then has nothing to wait for", async () => {
    const bench = await readyBench();
    bench.channel.destroy();

    await bench.channel.close();

    expect(bench.clock.pendingTimers).toBe(0);
  });
});

it("`await using` closes the channel at the end of the scope", async () => {
  const bench = await readyBench();

  {
    await using _channel = bench.channel;
  }

  expect(bench.channel.isClosed).toBe(true);
});
