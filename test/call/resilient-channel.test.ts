import { connectivityState as State, status } from "@grpc/grpc-js";
import { describe, expect, it, vi } from "vitest";
import { unseenEndpoint } from "../../src/call/channel-stats.js";
import { ThrottleRegistry } from "../../src/retry/index.js";
import { A, B, C, ChannelBench, IDEMPOTENT, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";

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
      calls: {
        started: 1,
        succeeded: 0,
        failed: 0,
        attempts: 1,
        retries: 0,
        transparentRetries: 0,
        hedges: 0,
      },
      failures: [],
      throttle: { tokens: 20, maxTokens: 20 },
      retryBufferBytes: 5,
      endpoints: [A, B].map((address) => ({
        ...unseenEndpoint(address),
        state: "READY",
        connections: 1,
        callsInFlight: address === bench.network.route[0] ? 1 : 0,
        picks: address === bench.network.route[0] ? 1 : 0,
      })),
      discovery: [
        {
          source: `static:///${A},${B}`,
          endpoints: 2,
          answers: 1,
          failures: 0,
          answeredAt: new Date(bench.clock.epoch()).toISOString(),
          staleSince: null,
          lastError: null,
          problem: null,
          held: null,
        },
      ],
    });
  });

  it("shows what keeps an endpoint from being used", async () => {
    const bench = new ChannelBench();
    bench.network.plan(A, "refuse");
    await bench.ready();

    expect(bench.channel.endpoints()).toEqual([
      {
        ...unseenEndpoint(A),
        state: "TRANSIENT_FAILURE",
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

describe("R27: the retry throttle of a target", () => {
  async function spend(bench: ChannelBench): Promise<void> {
    await bench.unary();
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.settle();
  }

  it("is shared by channels with equal targets, and by no others (R31)", async () => {
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
