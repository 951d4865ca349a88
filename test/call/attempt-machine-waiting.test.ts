import { Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { callOptions } from "../../src/call/index.js";
import { A, B, ChannelBench, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";

const WAITING = { waitForReady: true };

/** A channel whose only endpoint cannot be had, and whose dials have failed already. */
async function downBench(options: object = {}): Promise<ChannelBench> {
  const bench = new ChannelBench(options);
  bench.network.plan(A, "refuse");
  return bench.ready();
}

describe("R45: a call that waits for READY", () => {
  it.each([
    ["the channel's option", WAITING, {}],
    ["the method's option", { methods: { "test.Echo": WAITING } }, {}],
    [
      "callOptions",
      {},
      { deadline: callOptions({ waitForReady: true, timeoutMs: 60_000 }).deadline as Date },
    ],
    ["grpc-js's metadata option", {}, { metadata: new Metadata({ waitForReady: true }) }],
  ])("by %s waits out failed dials, and uses up no attempt", async (_how, options, callSettings) => {
    const bench = await downBench(options);
    const call = await bench.unary(callSettings);
    await bench.advance(5_000);
    expect(call.isOver).toBe(false);

    bench.network.plan(A, "ready");
    await bench.advance(5_000);
    bench.network.current.ok();
    await bench.settle();

    expect(call.status.code).toBe(status.OK);
    expect(bench.channel.stats().calls).toMatchObject({ attempts: 1, retries: 0 });
  });

  it("is what a call can turn off for itself", async () => {
    const bench = await downBench(WAITING);

    const call = await bench.unary({
      deadline: callOptions({ waitForReady: false, retry: false }).deadline as Date,
    });

    expect(call.status.reason).toBe("DIAL_FAILED");
  });

  it("C18: ends with its deadline, and tells the last error of the dials", async () => {
    const bench = await downBench(WAITING);
    const call = await bench.unary({ deadline: bench.clock.epoch() + 3_000 });

    await bench.advance(3_000);

    expect(call.status).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      reason: "NO_READY_ENDPOINT",
      processed: "no",
    });
    expect(call.status.details).toContain(`connect ECONNREFUSED ${A}`);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("goes out when an open breaker is due for a probe", async () => {
    const bench = await readyBench({
      ...WAITING,
      breaker: { consecutiveFailures: 1 },
      retry: { maxAttempts: 1 },
    });
    await bench.unary();
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.settle();
    expect(bench.channel.endpoints()[0]?.breaker).toBe("open");
    await bench.unary();
    expect(bench.channel.stats().callsQueued).toBe(1);

    await bench.advance(7_000);

    expect(bench.network.calls).toHaveLength(2);
  });

  it("goes out when the probe that it waited for has succeeded", async () => {
    const bench = await readyBench({
      ...WAITING,
      breaker: { consecutiveFailures: 1 },
      retry: { maxAttempts: 1 },
    });
    await bench.unary();
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.advance(5_000);
    await bench.unary();
    const waiting = await bench.unary();
    expect(bench.network.calls).toHaveLength(2);

    bench.network.call(1).ok();
    await bench.settle();

    expect(bench.network.calls).toHaveLength(3);
    expect(waiting.isOver).toBe(false);
  });
});

describe("a call that finds no endpoint ready yet", () => {
  it("C03: resolves, connects, picks and goes out, in this order", async () => {
    const bench = new ChannelBench();

    await bench.unary();

    const types = bench.events.map((event) => ("to" in event ? `${event.type} ${event.to}` : event.type));
    expect(types.filter((type) => !type.startsWith("channel"))).toEqual([
      "resolver.resolving",
      "endpoint.state CONNECTING",
      "resolver.endpoints",
      "endpoint.state READY",
      "call.picked",
    ]);
  });

  it("R45, R106: is served in order when an endpoint comes up", async () => {
    const bench = new ChannelBench();
    bench.network.plan(A, "hang");
    for (const request of ["first", "second", "third"]) await bench.unary({ request });

    await bench.network.last(A).accept();
    await bench.settle();

    expect(bench.network.calls.map(({ sentTexts }) => sentTexts[0])).toEqual(["first", "second", "third"]);
  });

  it("fails when the first dials of all endpoints have failed", async () => {
    const bench = new ChannelBench({ retry: { maxAttempts: 1 } }, { addresses: [A, B] });
    bench.network.plan(A, "refuse");
    bench.network.plan(B, "hang");
    const call = await bench.unary();
    expect(call.isOver).toBe(false);

    await bench.advance(10_000);

    expect(call.status).toMatchObject({ reason: "DIAL_FAILED", processed: "no", code: status.UNAVAILABLE });
  });

  it("keeps the process alive only while it waits", async () => {
    const bench = new ChannelBench();
    bench.network.plan(A, "hang");
    const call = await bench.unary();
    expect(bench.clock.keepAliveTimers).toBe(1);

    call.cancel();
    await bench.settle();

    expect(bench.clock.keepAliveTimers).toBe(0);
  });
});
