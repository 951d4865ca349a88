import { connectivityState as State, status } from "@grpc/grpc-js";
import { describe, expect, it, vi } from "vitest";
import { isReason } from "../../src/core/index.js";
import { ThrottleRegistry } from "../../src/retry/index.js";
import { A, B, C, ChannelBench, IDEMPOTENT, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";
import { serverStream } from "../support/test-call.js";

const NEVER = Number.POSITIVE_INFINITY;

describe("a new channel", () => {
  it("C03: does no I/O and sets no timer", async () => {
    const bench = new ChannelBench();
    await bench.settle();

    expect(bench.network.dials).toHaveLength(0);
    expect(bench.clock.pendingTimers).toBe(0);
    expect(bench.events).toEqual([]);
    expect(bench.channel.getConnectivityState(false)).toBe(State.IDLE);
  });

  it("connects when asked to, without a call", async () => {
    const bench = new ChannelBench();

    expect(bench.channel.getConnectivityState(true)).toBe(State.CONNECTING);
    await bench.settle();

    expect(bench.channel.getConnectivityState(false)).toBe(State.READY);
  });

  it("shows itself as plain data, ready for JSON", async () => {
    const bench = await readyBench({}, { addresses: [A, B] });
    await bench.unary();

    const stats = bench.channel.stats();

    expect(JSON.parse(JSON.stringify(stats))).toEqual(stats);
    expect(stats).toEqual({
      target: `static:///${A},${B}`,
      mode: "pool",
      state: "READY",
      callsInFlight: 1,
      callsQueued: 0,
      calls: { started: 1, succeeded: 0, failed: 0, attempts: 1, retries: 0, transparentRetries: 0 },
      throttle: { tokens: 20, maxTokens: 20 },
      retryBufferBytes: 5,
      endpoints: [A, B].map((address) => ({
        address,
        state: "READY",
        isSuspect: false,
        callsInFlight: address === bench.network.route[0] ? 1 : 0,
        breaker: "closed",
        retryInMs: null,
        lastError: null,
      })),
    });
  });

  it("shows what keeps an endpoint from being used", async () => {
    const bench = new ChannelBench();
    bench.network.plan(A, "refuse");
    await bench.ready();

    expect(bench.channel.endpoints()).toEqual([
      {
        address: A,
        state: "TRANSIENT_FAILURE",
        isSuspect: false,
        callsInFlight: 0,
        breaker: "closed",
        retryInMs: 1_000,
        lastError: { text: `connect ECONNREFUSED ${A}`, at: new Date(bench.clock.epoch()).toISOString() },
      },
    ]);
  });

  it("gives out numbers that do not change under the reader's eyes", async () => {
    const bench = await readyBench();
    const before = bench.channel.stats();

    await bench.unary();

    expect(before.calls.started).toBe(0);
  });
});

describe("C09: the state of the channel", () => {
  it("goes through its states without telling one twice", async () => {
    const bench = await readyBench({}, { addresses: [A, B, C] });
    await bench.advance(60_000);
    for (const address of [A, B, C]) bench.network.plan(address, "refuse");
    for (const dial of bench.network.dials) dial.lose();
    await bench.advance(500);
    await bench.channel.close();

    expect(bench.eventsOf("channel.state").map(({ from, to }) => `${from} > ${to}`)).toEqual([
      "IDLE > CONNECTING",
      "CONNECTING > READY",
      "READY > CONNECTING",
      "CONNECTING > TRANSIENT_FAILURE",
      "TRANSIENT_FAILURE > SHUTDOWN",
    ]);
  });

  it("can be waited for, as with a channel of grpc-js", async () => {
    const bench = new ChannelBench();
    const heard = vi.fn();
    bench.channel.watchConnectivityState(State.IDLE, NEVER, heard);

    bench.channel.getConnectivityState(true);

    expect(heard.mock.calls).toEqual([[]]);
    await bench.channel.close();
    expect(() => bench.channel.watchConnectivityState(State.SHUTDOWN, NEVER, heard)).toThrow("shut down");
  });

  it("stays READY while one endpoint is, though others are lost", async () => {
    const bench = await readyBench({}, { addresses: [A, B] });
    bench.network.plan(A, "refuse");

    bench.network.last(A).lose();
    await bench.advance(5_000);

    expect(bench.channel.stats().state).toBe("READY");
  });
});

describe("a set of endpoints given by hand", () => {
  it("replaces the target's: new ones connect, kept ones stay, removed ones drain", async () => {
    const bench = await readyBench({}, { addresses: [A, B] });
    const call = await bench.unary();
    const busy = bench.network.route[0] ?? "";
    const idle = busy === A ? B : A;

    bench.channel.updateEndpoints([C, { address: idle }]);
    await bench.settle();
    bench.network.current.ok();
    await bench.settle();

    expect(call.status.code).toBe(status.OK);
    expect(bench.channel.endpoints().map(({ address }) => address)).toEqual([C, idle]);
    expect(bench.network.dialsOf(idle)).toHaveLength(1);
    expect(bench.network.last(busy).socket.destroyed).toBe(true);
    expect(bench.eventsOf("resolver.endpoints").at(-1)).toMatchObject({
      added: [C],
      removed: [busy],
      total: 2,
    });
  });

  it("is taken before the first call, too, without connecting anything", async () => {
    const bench = new ChannelBench();

    bench.channel.updateEndpoints([B]);
    await bench.settle();
    expect(bench.network.dials).toHaveLength(0);

    await bench.unary();
    expect(bench.network.route).toEqual([B]);
  });

  it("names every bad entry at once, and changes nothing then", async () => {
    const bench = await readyBench();
    const update = (): void => bench.channel.updateEndpoints(["nope", "b:0", B, B]);

    expect(update).toThrow(/3 problems: .*"nope" has no port.*"b:0" has the port "0".*listed twice/);
    expect(bench.channel.endpoints().map(({ address }) => address)).toEqual([A]);
  });

  it.each([[[]], [undefined], [[undefined]], [[{ host: "a" }]], ["a:1"]])(
    "that is none is refused as bad configuration: %j",
    (bad) => {
      const bench = new ChannelBench();
      let thrown: unknown;

      try {
        bench.channel.updateEndpoints(bad as never);
      } catch (error) {
        thrown = error;
      }

      expect(isReason(thrown, "CONFIG_INVALID")).toBe(true);
    },
  );

  it("brings back no life into a closed channel", async () => {
    const bench = await readyBench();
    await bench.channel.close();

    bench.channel.updateEndpoints([B]);
    await bench.advance(60_000);

    expect(bench.network.dialsOf(B)).toHaveLength(0);
    expect(bench.clock.pendingTimers).toBe(0);
  });
});

describe("R63, B19: an idle channel", () => {
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

describe("R27: the retry throttle of a target", () => {
  async function spend(bench: ChannelBench): Promise<void> {
    await bench.unary();
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.settle();
  }

  it("is shared by channels with equal targets, and by no others", async () => {
    const throttles = new ThrottleRegistry();
    const [one, two, other] = [
      await readyBench(IDEMPOTENT, { throttles }),
      await readyBench(IDEMPOTENT, { throttles }),
      await readyBench(IDEMPOTENT, { throttles, addresses: [B] }),
    ];

    await spend(one);

    expect([one, two, other].map(({ channel }) => channel.stats().throttle?.tokens)).toEqual([19, 19, 20]);
  });

  it("is forgotten when the last of them is closed", async () => {
    const throttles = new ThrottleRegistry();
    const bench = await readyBench(IDEMPOTENT, { throttles });
    await spend(bench);
    bench.channel.destroy();

    const next = await readyBench(IDEMPOTENT, { throttles });

    expect(next.channel.stats().throttle?.tokens).toBe(20);
  });

  it("can be turned off", async () => {
    const bench = await readyBench({ ...IDEMPOTENT, retry: { throttle: false } });

    await spend(bench);

    expect(bench.channel.stats().throttle).toBeNull();
  });

  it("is told of once when it begins to refuse retries, not for every call", async () => {
    const retry = { throttle: { maxTokens: 2, tokenRatio: 0.1 } };
    const bench = await readyBench({ ...IDEMPOTENT, retry });

    for (let call = 0; call < 4; call++) await spend(bench);

    expect(bench.eventsOf("throttle.exhausted")).toEqual([
      { type: "throttle.exhausted", tokens: 1, maxTokens: 2 },
    ]);
  });
});

describe("the kill switch", () => {
  it.each([
    ["enabled: false", { enabled: false }, {}],
    ["HOLDFAST_DISABLED=1", {}, { HOLDFAST_DISABLED: "1" }],
  ])(
    "%s leaves plain calls: one attempt, no deadline of ours, no breaker, no throttle",
    async (_how, options, env) => {
      const bench = await readyBench(
        { ...IDEMPOTENT, breaker: { consecutiveFailures: 1 }, ...options },
        { env },
      );
      const call = await bench.unary();
      expect(bench.network.current.deadline).toBe(NEVER);

      bench.network.current.fail(status.UNAVAILABLE);
      await bench.advance(10_000);

      expect(call.status.code).toBe(status.UNAVAILABLE);
      expect(bench.network.calls).toHaveLength(1);
      expect(bench.channel.stats()).toMatchObject({ mode: "disabled", throttle: null });
      expect(bench.channel.endpoints()[0]?.breaker).toBe("closed");
    },
  );

  it.each(["", "0", "true"])("is not thrown by HOLDFAST_DISABLED=%j", async (value) => {
    const bench = await readyBench({}, { env: { HOLDFAST_DISABLED: value } });

    expect(bench.channel.stats().mode).toBe("pool");
  });
});

it("resetBackoff dials at once where a redial is waited for", async () => {
  const bench = new ChannelBench();
  bench.network.plan(A, "refuse", "ready");
  await bench.ready();

  bench.channel.resetBackoff();
  await bench.settle();

  expect(bench.channel.getConnectivityState(false)).toBe(State.READY);
  expect(bench.leftovers).toEqual(NOTHING_LEFT);
});
