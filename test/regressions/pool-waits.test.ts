import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it, vi } from "vitest";
import type { Endpoint } from "../../src/core/index.js";
import { LanesBench } from "../call/lanes-bench.js";
import { PoolBench } from "../pool/pool-bench.js";
import { A, B, ChannelBench, readyBench } from "../support/channel-bench.js";
import { ManualClock, settle } from "../support/manual-clock.js";

/** One call after the other fails. */
async function failCalls(bench: ChannelBench, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await bench.unary();
    bench.network.current.fail(status.UNAVAILABLE, "scripted");
    await bench.settle();
  }
}

it.each(["hang", "silent"] as const)(
  "under ring_hash the calls of an endpoint whose dials %s go to another one at once",
  async (plan) => {
    const bench = new ChannelBench({ loadBalancing: "ring_hash", timeoutMs: 2_000 }, { addresses: [A, B] });
    bench.network.plan(A, plan);
    const callAll = async () => {
      for (let i = 0; i < 16; i++) {
        await bench.unary({ deadline: callOptions({ hashKey: `user-${i}` }).deadline as Date });
      }
    };
    await callAll();
    expect(bench.network.dialsOf(A)).toHaveLength(1);
    await bench.advance(30_000);
    const before = bench.network.calls.length;

    await callAll();

    expect(bench.channel.stats().callsQueued).toBe(0);
    expect(bench.network.route.slice(before)).toEqual(Array.from({ length: 16 }, () => B));
  },
);

it.each([
  ["pick_first", { loadBalancing: "pick_first" }],
  ["maxConnectedEndpoints 1", { maxConnectedEndpoints: 1 }],
])(
  "a call that the breaker of its method refuses fails at once though %s has left an endpoint IDLE",
  async (_name, options) => {
    const breaker = { scope: "method", consecutiveFailures: 2 } as const;
    const bench = await readyBench({ ...options, breaker }, { addresses: [A, B] });
    await failCalls(bench, 2);

    const call = await bench.unary();

    expect(bench.channel.endpoints().map(({ state }) => state)).toEqual(["READY", "IDLE"]);
    expect(call.isOver && call.status).toMatchObject({ reason: "CIRCUIT_OPEN" });
  },
);

it("ready() goes on connecting where idleTimeoutMs is shorter than the wait", async () => {
  const bench = new ChannelBench({ idleTimeoutMs: 3_000 });
  bench.network.plan(A, "refuse", "refuse", "refuse", "refuse", "ready");
  const outcome = bench.channel.ready({ timeoutMs: 60_000 }).then(
    () => "ready",
    (error: Error) => error.message,
  );

  await bench.advance(60_000);

  expect(await outcome).toBe("ready");
});

it.each([
  ["trusted", 0],
  ["in doubt already", 510],
])(
  "after a pause no call goes over a connection that was %s before it is verified",
  async (_name, silentMs) => {
    const methods = { "test.Echo/Repeatable": { idempotent: true } };
    const bench = await readyBench({ attemptTimeoutMs: 500, methods });
    bench.network.plan(A, "hang");
    const silent = await bench.unary({ method: "/test.Echo/Repeatable" });
    await bench.advance(silentMs);
    silent.cancel();
    await bench.settle();
    expect(bench.channel.endpoints()[0]?.isSuspect).toBe(silentMs > 0);
    const before = bench.network.calls.length;

    vi.spyOn(bench.clock, "epoch").mockReturnValue(ManualClock.EPOCH_AT_ZERO + 3_600_000);
    await bench.unary();

    expect(bench.network.calls).toHaveLength(before);
  },
);

describe("rotated certificates are used", () => {
  it("by an endpoint whose first dial was under way", async () => {
    const bench = new LanesBench();
    bench.network.plan(A, "hang", "ready");
    await bench.awake();

    bench.backend.rotate("new certificate");
    await settle();

    expect(bench.network.dials.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    expect(bench.words.at(-1)).toBe("READY");
  });

  it("by a connection that was being replaced for the certificates before", async () => {
    const bench = new LanesBench();
    bench.network.plan(A, "ready", "hang", "ready");
    await bench.awake();
    bench.backend.rotate("new certificate");
    await settle();

    bench.backend.rotate("newer certificate");
    await settle();

    expect(bench.network.dials.map(({ isClosed }) => isClosed)).toEqual([true, true, false]);
    expect(bench.openSockets).toBe(1);
  });
});

it("close() lets a call that waits for an open breaker have the breaker's probe", async () => {
  const breaker = { consecutiveFailures: 1, openMs: 1_000 };
  const bench = await readyBench({ waitForReady: true, retry: false, breaker });
  await failCalls(bench, 1);
  const call = await bench.unary();
  expect(bench.channel.stats().callsQueued).toBe(1);

  const closed = bench.channel.close({ drainMs: 20_000 });
  await bench.advance(5_000);
  bench.network.current.ok();
  await bench.settle();

  expect(call.status.code).toBe(status.OK);
  await closed;
  expect(bench.clock.pendingTimers).toBe(0);
});

it("an outage of all endpoints costs no look at all of them for each dial that fails", async () => {
  const count = 50;
  let looks = 0;
  const bench = new PoolBench();
  const endpoints = Array.from({ length: count }, (_, i): Endpoint => {
    const address = `10.0.1.${i}:1`;
    bench.network.plan(address, "refuse");
    return {
      address,
      get priority() {
        looks++;
        return 0;
      },
    };
  });
  bench.pool.connect();
  bench.pool.update(endpoints);
  await settle();
  const dialsBefore = bench.network.dials.length;
  looks = 0;

  await bench.clock.advance(10_000);

  expect(bench.network.dials.length - dialsBefore).toBeGreaterThan(2 * count);
  expect(looks).toBeLessThan(count);
});
