import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { ScriptedLookup } from "../discovery/dns/scripted-lookup.js";
import { ChannelBench } from "../support/channel-bench.js";

const ONE = ["10.0.0.1"];
const TWO = ["10.0.0.1", "10.0.0.2"];
const DOWN = new Error("the name server is down");
const A = "10.0.0.1:50051";
const B = "10.0.0.2:50051";

/** A channel to `dns:///users:50051`, whose name server is the test's. */
function dnsBench(names: ScriptedLookup, options: object = {}): ChannelBench {
  // Only what trouble asks for; what a healthy channel asks for by itself has tests of its own.
  return new ChannelBench(
    { discovery: { refreshMs: null }, ...options },
    { target: "dns:///users:50051", lookup: names.lookup },
  );
}

describe("a target that is looked up", () => {
  it("is not looked up before the first call", async () => {
    const names = new ScriptedLookup(ONE);
    const bench = dnsBench(names);
    await bench.settle();
    expect(names.asked).toEqual([]);

    await bench.unary();

    expect(names.asked).toEqual(["users"]);
    expect(bench.network.route).toEqual([A]);
  });

  it("holds calls back while the first answer is on its way", async () => {
    const names = new ScriptedLookup();
    const bench = dnsBench(names);
    const call = await bench.unary();
    expect(bench.channel.stats().callsQueued).toBe(1);

    names.answer(1, TWO);
    await bench.settle();

    expect(bench.network.calls).toHaveLength(1);
    expect(call.isOver).toBe(false);
  });

  it("that cannot be found fails calls with DISCOVERY_FAILED and the resolver's words, after the policy's retries", async () => {
    const bench = dnsBench(ScriptedLookup.always(DOWN));
    const call = await bench.unary();

    await bench.advance(5_000);

    expect(call.status).toMatchObject({ code: status.UNAVAILABLE, processed: "no" });
    expect(call.status.attempts?.map(({ reason }) => reason)).toEqual(Array(3).fill("DISCOVERY_FAILED"));
    expect(call.status.details).toContain("the name server is down");
  });

  it("that cannot be found yet lets calls that wait for READY wait", async () => {
    const names = new ScriptedLookup(DOWN, ONE);
    const bench = dnsBench(names, { waitForReady: true });
    const call = await bench.unary();
    await bench.settle();
    expect(call.isOver).toBe(false);

    await bench.advance(2_000);

    expect(bench.network.route).toEqual([A]);
  });

  it("heals as soon as there is an answer", async () => {
    const names = new ScriptedLookup(DOWN, ONE);
    const bench = dnsBench(names, { retry: { maxAttempts: 1 } });
    const failed = await bench.unary();
    expect(failed.status.reason).toBe("DISCOVERY_FAILED");

    await bench.advance(2_000);
    await bench.unary();

    expect(bench.network.route).toEqual([A]);
  });
});

describe("a look-up that fails later", () => {
  it("keeps the last good set, and says so", async () => {
    const names = new ScriptedLookup(ONE, DOWN);
    const bench = dnsBench(names);
    await bench.ready();
    await bench.advance(60_000);

    bench.network.last(A).lose();
    await bench.settle();
    await bench.unary();

    expect(bench.network.route).toEqual([A]);
    expect(bench.eventsOf("resolver.failed")).toEqual([
      {
        type: "resolver.failed",
        source: expect.stringContaining("dns:///"),
        error: expect.stringContaining("the name server is down"),
        keptEndpoints: 1,
      },
    ]);
  });
});

it("a call that waits is told what its endpoints lack, not of a look-up that failed beside them", async () => {
  const names = new ScriptedLookup(ONE, DOWN);
  const bench = dnsBench(names);
  await bench.ready();
  await bench.advance(60_000);
  bench.network.plan(A, "hang");
  bench.network.last(A).lose();
  await bench.settle();

  const call = await bench.unary({ deadline: bench.clock.epoch() + 500 });
  await bench.advance(500);

  expect(call.status.details).toContain("CONNECTING");
  expect(call.status.details).not.toContain("name server");
});

describe("B15: trouble with an endpoint", () => {
  it("asks for fresh addresses, and moves to them", async () => {
    const names = new ScriptedLookup(ONE, ["10.0.0.2"]);
    const bench = dnsBench(names);
    await bench.ready();
    await bench.advance(60_000);

    bench.network.last(A).lose();
    await bench.settle();
    await bench.unary();

    expect(names.asked).toHaveLength(2);
    expect(bench.eventsOf("resolver.endpoints").at(-1)).toEqual({
      type: "resolver.endpoints",
      added: [B],
      removed: [A],
      total: 1,
    });
    expect(bench.network.route).toEqual([B]);
  });

  it("asks at its own pace, however many endpoints fail at once", async () => {
    const names = ScriptedLookup.always(TWO);
    const bench = dnsBench(names);
    await bench.ready();
    await bench.advance(60_000);
    for (const address of [A, B]) bench.network.plan(address, "refuse");

    for (const dial of [...bench.network.dials]) dial.lose();
    await bench.advance(900);

    expect(names.asked.length).toBeLessThanOrEqual(2);
  });

  it("is told of once: an answer that changes nothing is no event", async () => {
    const names = new ScriptedLookup(ONE, ONE);
    const bench = dnsBench(names);
    await bench.ready();
    await bench.advance(60_000);

    bench.network.last(A).lose();
    await bench.settle();

    expect(names.asked).toHaveLength(2);
    expect(bench.eventsOf("resolver.endpoints")).toHaveLength(1);
  });
});

describe("R63: a channel that idles", () => {
  it("stops resolving, and resolves again with the next call", async () => {
    const names = new ScriptedLookup(ONE, TWO);
    const bench = dnsBench(names, { idleTimeoutMs: 5_000 });
    await bench.unary();
    bench.network.current.ok();
    await bench.advance(60_000);
    expect(bench.clock.pendingTimers).toBe(0);

    await bench.unary();

    expect(names.asked).toHaveLength(2);
    expect(bench.channel.endpoints().map(({ address }) => address)).toEqual([A, B]);
  });
});

describe("endpoints given by hand", () => {
  it("take the place of the resolver's for good, though an answer is still on its way", async () => {
    const names = new ScriptedLookup();
    const bench = dnsBench(names);
    await bench.unary();
    expect(names.asked).toHaveLength(1);

    bench.channel.updateEndpoints(["10.0.0.9:1"]);
    names.answer(1, ONE);
    await bench.settle();

    expect(bench.channel.endpoints().map(({ address }) => address)).toEqual(["10.0.0.9:1"]);
    expect(bench.network.route).toEqual(["10.0.0.9:1"]);
  });

  it("are still those after an idle time", async () => {
    const names = new ScriptedLookup(ONE);
    const bench = dnsBench(names, { idleTimeoutMs: 5_000 });
    bench.channel.updateEndpoints(["10.0.0.9:1"]);
    await bench.unary();
    bench.network.current.ok();
    await bench.advance(60_000);

    await bench.unary();

    expect(names.asked).toEqual([]);
    expect(bench.network.route).toEqual(["10.0.0.9:1", "10.0.0.9:1"]);
  });
});

it("closing in the middle of a look-up leaves no timer, and the answer opens no socket", async () => {
  const names = new ScriptedLookup();
  const bench = dnsBench(names);
  bench.channel.getConnectivityState(true);

  await bench.channel.close();
  expect(bench.clock.pendingTimers).toBe(0);
  names.answer(1, ONE);
  await bench.settle();

  expect(bench.network.dials).toHaveLength(0);
  expect(bench.clock.pendingTimers).toBe(0);
});
