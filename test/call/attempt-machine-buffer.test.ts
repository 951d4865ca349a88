import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { IDEMPOTENT, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";
import { bidi, clientStream, type TestCall } from "../support/test-call.js";

describe("the retry buffer", () => {
  const small = { ...IDEMPOTENT, retry: { perCallBufferBytes: 8 } };

  it("R16: that overflows lets the running attempt go on, and ends retrying", async () => {
    const bench = await readyBench(small);
    const call = clientStream(bench.channel).write("12345678").write("9").end();
    await bench.settle();
    expect(bench.network.current.sentTexts).toEqual(["12345678", "9"]);

    bench.network.current.fail(status.UNAVAILABLE);
    await bench.advance(10_000);

    expect(bench.network.calls).toHaveLength(1);
    expect(call.status.explanation).toContain("no longer in the retry buffer");
  });

  it("R16: that overflows in a backoff gap lets the pending attempt run with everything, committed", async () => {
    const bench = await readyBench(small);
    const call = clientStream(bench.channel).write("12345678");
    await bench.settle();
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.settle();

    call.write("9").end();
    await bench.advance(100);
    expect(bench.network.current).toMatchObject({ sentTexts: ["12345678", "9"], isHalfClosed: true });
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.advance(10_000);

    expect(bench.network.calls).toHaveLength(2);
  });

  it("R19: too small for a unary request still sends it, once", async () => {
    const bench = await readyBench(small);
    const call = await bench.unary({ request: "123456789" });

    bench.network.current.fail(status.UNAVAILABLE);
    await bench.advance(10_000);

    expect(bench.network.current.sentTexts).toEqual(["123456789"]);
    expect(call.isOver).toBe(true);
    expect(bench.network.calls).toHaveLength(1);
  });

  it("R19: is shared by the calls of the channel, and given back by each", async () => {
    const bench = await readyBench({
      ...IDEMPOTENT,
      retry: { perCallBufferBytes: 8, perChannelBufferBytes: 10 },
    });
    const calls: TestCall[] = [
      await bench.unary({ request: "12345678" }),
      await bench.unary({ request: "123" }),
    ];
    expect(bench.channel.stats().retryBufferBytes).toBe(8);

    for (const attempt of bench.network.calls) attempt.fail(status.UNAVAILABLE);
    await bench.advance(100);

    expect(bench.network.calls).toHaveLength(3);
    expect(calls.map((call) => call.isOver)).toEqual([false, true]);
    bench.network.current.ok();
    await bench.settle();
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});

describe("a request over maxSendMessageBytes", () => {
  it("is refused before anything is sent, and says so", async () => {
    const bench = await readyBench({ maxSendMessageBytes: 4 });

    const call = await bench.unary({ request: "12345" });

    expect(call.status).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      reason: "MESSAGE_TOO_LARGE",
      processed: "no",
    });
    expect(call.status.details).toContain("the request message has 5 bytes; maxSendMessageBytes allows 4");
    expect(call.flushed).toEqual(["12345"]);
    expect(bench.network.calls).toHaveLength(0);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("of exactly the limit is sent", async () => {
    const bench = await readyBench({ maxSendMessageBytes: 4 });

    await bench.unary({ request: "1234" });

    expect(bench.network.current.sentTexts).toEqual(["1234"]);
  });

  it("later in a stream cancels the attempt, and then the server may have run it", async () => {
    const bench = await readyBench({ ...IDEMPOTENT, maxSendMessageBytes: 4 });
    const call = bidi(bench.channel).write("1");
    await bench.settle();

    call.write("12345");
    await bench.settle();

    expect(call.status).toMatchObject({ reason: "MESSAGE_TOO_LARGE", processed: "maybe" });
    expect(bench.network.current.cancelledWith?.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(bench.network.calls).toHaveLength(1);
  });
});
