import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { ChannelOptions } from "../../src/call/index.js";
import {
  A,
  B,
  type BenchSetup,
  type ChannelBench,
  NOTHING_LEFT,
  readyBench,
} from "../support/channel-bench.js";
import { bidi, clientStream, serverStream, unary } from "../support/test-call.js";
import { failAttempt } from "./hedges.js";

const FIRST = { firstResponseTimeoutMs: 100 };
const REPEATED: Partial<ChannelOptions> = {
  ...FIRST,
  methods: { "test.Echo": { idempotent: true } },
  retry: { maxAttempts: 2, backoff: { kind: "immediate" } },
};

/** A server stream that is being read. */
async function streaming(options: Partial<ChannelOptions>, setup: BenchSetup = {}) {
  const bench = await readyBench(options, setup);
  const call = serverStream(bench.channel);
  // As a stub reads: a turn later, which is how a call of unknown kind is told from a unary one.
  await bench.settle();
  call.flow();
  return { bench, call };
}

const attempts = (bench: ChannelBench) => bench.network.calls.length;

describe("firstResponseTimeoutMs", () => {
  it.each([
    ["server-streaming", serverStream],
    ["bidirectional", bidi],
  ])("ends a %s call that gets no headers, and says what it may have done", async (_kind, start) => {
    const bench = await readyBench(FIRST);
    const call = start(bench.channel);
    await bench.advance(99);
    expect(call.isOver).toBe(false);

    await bench.advance(1);

    expect(call.status).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      reason: "ATTEMPT_TIMEOUT",
      processed: "maybe",
    });
    expect(call.status.details).toContain("firstResponseTimeoutMs");
    expect(bench.network.current.cancelledWith).not.toBeNull();
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it.each([
    ["unary", unary],
    ["client-streaming", clientStream],
  ])("leaves a %s call alone, which has a deadline", async (_kind, start) => {
    const bench = await readyBench(FIRST);
    const call = start(bench.channel);

    await bench.advance(5_000);

    expect(call.isOver).toBe(false);
    call.cancel();
  });

  it("lets a stream that has begun take its time", async () => {
    const { bench, call } = await streaming(FIRST);
    await bench.advance(99);

    bench.network.current.headers();
    await bench.advance(3_600_000);

    expect(call.isOver).toBe(false);
    bench.network.current.ok();
    await bench.settle();
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("repeats an idempotent stream elsewhere, each attempt with its own limit (R54)", async () => {
    const { bench, call } = await streaming(REPEATED, { addresses: [A, B] });

    await bench.advance(100);
    expect(new Set(bench.network.route)).toEqual(new Set([A, B]));
    await bench.advance(99);
    expect(call.isOver).toBe(false);
    bench.network.current.ok();
    await bench.settle();

    expect(call.messages).toEqual(["done"]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("never repeats one that is not declared idempotent (R162)", async () => {
    const { bench, call } = await streaming({ ...REPEATED, methods: {} });

    await bench.advance(10_000);

    expect([attempts(bench), call.isOver]).toEqual([1, true]);
    expect(call.status.explanation).toContain("not declared idempotent");
  });

  it("is measured from each attempt's start, not from the call's", async () => {
    const { bench, call } = await streaming(REPEATED, { addresses: [A, B] });
    await bench.advance(60);
    await failAttempt(bench, 0);
    expect(attempts(bench)).toBe(2);

    await bench.advance(99);
    expect(call.isOver).toBe(false);
    await bench.advance(1);

    expect(call.isOver).toBe(true);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("counts against the endpoint and makes a silent connection suspect, as an attempt timeout does", async () => {
    const { bench } = await streaming(
      { ...FIRST, breaker: { consecutiveFailures: 1 } },
      { addresses: [A, B] },
    );

    await bench.advance(100);

    const asked = bench.channel.endpoints().find(({ address }) => address === bench.network.route[0]);
    expect(asked).toMatchObject({ breaker: "open" });
    expect(bench.eventsOf("connection.suspect")).toMatchObject([{ endpoint: asked?.address }]);
  });

  it("does not run while the stream waits for an endpoint", async () => {
    const bench = await readyBench({ ...FIRST, waitForReady: true });
    bench.network.plan(A, "hang");
    bench.network.last(A).lose();
    await bench.settle();
    const call = serverStream(bench.channel);

    await bench.advance(5_000);

    expect(call.isOver).toBe(false);
    call.cancel();
    await bench.settle();
    expect(bench.leftovers.keepAliveTimers).toBe(0);
  });

  it("holds for a stream whose first pick found no endpoint", async () => {
    const bench = await readyBench({
      ...REPEATED,
      retry: { maxAttempts: 5, backoff: { kind: "fixed", initialMs: 3_000 } },
    });
    bench.network.plan(A, "refuse", "ready");
    bench.network.last(A).lose();
    await bench.advance(0);
    const call = serverStream(bench.channel);
    await bench.advance(10_000);
    const made = attempts(bench);
    expect(made).toBeGreaterThan(0);

    await bench.advance(60_000);

    expect(call.isOver).toBe(true);
  });

  it.each([
    ["every hedge", { maxAttempts: 2, delayMs: 50 }],
    ["both of two that began together", { maxAttempts: 2, delayMs: 0 }],
  ])("ends %s of a stream whose servers are all silent", async (_what, hedging) => {
    const { retry: _retry, ...rest } = REPEATED;
    const { bench, call } = await streaming({ ...rest, hedging }, { addresses: [A, B] });

    await bench.advance(1_000);

    expect(attempts(bench)).toBe(2);
    expect(call.status).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});
