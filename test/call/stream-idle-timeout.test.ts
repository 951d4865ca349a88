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
import { bidi, serverStream } from "../support/test-call.js";

const FIRST = { firstResponseTimeoutMs: 100 };
const IDLE = { streamIdleTimeoutMs: 1_000 };
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

describe("streamIdleTimeoutMs", () => {
  it("ends a stream that is silent after its headers, while its reader waits", async () => {
    const { bench, call } = await streaming(IDLE);
    bench.network.current.headers();
    await bench.advance(999);
    expect(call.isOver).toBe(false);

    await bench.advance(1);

    expect(call.status).toMatchObject({ code: status.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" });
    expect(call.status.details).toContain("no message for 1000 ms, as streamIdleTimeoutMs allows");
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("begins anew with each message that comes in, with one timer for all of them", async () => {
    const { bench, call } = await streaming(IDLE);
    for (let n = 0; n < 20; n++) {
      bench.network.current.message(String(n));
      await bench.advance(900);
    }
    expect(call.messages).toHaveLength(20);
    expect(bench.clock.keepAliveTimers).toBe(1);

    await bench.advance(100);

    expect(call.isOver).toBe(true);
  });

  it("begins anew with each message that goes out (a bidirectional stream that is only written)", async () => {
    const bench = await readyBench(IDLE);
    const call = bidi(bench.channel);
    await bench.settle();
    call.flow();
    bench.network.current.headers();

    for (let n = 0; n < 10; n++) {
      call.write(String(n));
      await bench.advance(900);
    }
    expect(call.isOver).toBe(false);
    await bench.advance(100);

    expect(call.isOver).toBe(true);
  });

  it("never punishes a slow reader: the silence begins when it asks for the next message", async () => {
    const bench = await readyBench(IDLE);
    const call = serverStream(bench.channel);
    await bench.settle();
    call.read();
    bench.network.current.message("one");
    bench.network.current.message("two");

    await bench.advance(3_600_000);
    expect([call.messages, call.isOver]).toEqual([["one"], false]);
    call.read();
    await bench.advance(10_500);
    expect([call.messages, call.isOver]).toEqual([["one", "two"], false]);
    call.read();
    await bench.advance(999);
    expect(call.isOver).toBe(false);
    await bench.advance(1);

    expect(call.isOver).toBe(true);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("is never followed by another attempt, which would deliver the stream's beginning twice (R43)", async () => {
    const { bench, call } = await streaming({ ...REPEATED, ...IDLE });
    bench.network.current.message("one");

    await bench.advance(60_000);

    expect([attempts(bench), call.messages, call.isOver]).toEqual([1, ["one"], true]);
    expect(call.status.processed).toBe("yes");
  });

  it("of a method stands before the channel's, and null turns it off", async () => {
    const methods = {
      "test.Echo/Say": { streamIdleTimeoutMs: null },
      "test.Echo/Fast": { streamIdleTimeoutMs: 10 },
    };
    const bench = await readyBench({ ...IDLE, methods });
    const endless = serverStream(bench.channel);
    const fast = serverStream(bench.channel, { method: "/test.Echo/Fast" });
    await bench.settle();
    for (const call of [endless, fast]) call.flow();
    bench.network.last(A).hear();
    for (const inner of bench.network.calls) inner.headers();

    await bench.advance(10);
    expect([endless.isOver, fast.isOver]).toEqual([false, true]);
    await bench.advance(3_600_000);

    expect(endless.isOver).toBe(false);
    endless.cancel();
  });

  it("runs in a hedged stream for the winner alone (R35)", async () => {
    const methods = { "test.Echo": { idempotent: true } };
    const options = { ...IDLE, methods, hedging: { maxAttempts: 2, delayMs: 50 } };
    const { bench, call } = await streaming(options, { addresses: [A, B] });
    await bench.advance(50);
    bench.network.call(1).message("one");

    await bench.advance(999);
    expect(call.isOver).toBe(false);
    await bench.advance(1);

    expect(call.status.details).toContain("streamIdleTimeoutMs");
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("leaves no timer behind when the stream ends by itself", async () => {
    const { bench, call } = await streaming({ ...IDLE, ...FIRST });
    bench.network.current.ok();
    await bench.settle();

    expect(call.status.code).toBe(status.OK);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});
