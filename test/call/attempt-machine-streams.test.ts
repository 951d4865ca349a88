import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { type ChannelBench, IDEMPOTENT, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";
import { bidi, clientStream, serverStream, type TestCall } from "../support/test-call.js";

/** An idempotent channel whose writes wait for `flush()`. */
async function slowWriter(options: object = {}): Promise<ChannelBench> {
  const bench = await readyBench({ ...IDEMPOTENT, ...options });
  for (const dial of bench.network.dials) dial.holdsWrites = true;
  return bench;
}

/** The running attempt ends UNAVAILABLE, and the next one is there. */
async function retryNow(bench: ChannelBench): Promise<void> {
  bench.network.current.fail(status.UNAVAILABLE);
  await bench.settle();
  await bench.advance(250);
}

async function flush(bench: ChannelBench): Promise<void> {
  bench.network.current.flush();
  await bench.settle();
}

/** The oldest message that the call still holds; nothing public shows it. */
function firstKept(call: TestCall): unknown {
  return (call.inner as unknown as { outbox: { at(index: number): unknown } }).outbox.at(0);
}

describe("R44: the replay of a stream", () => {
  it("keeps the order of messages, sends one at a time, and closes after the last", async () => {
    const bench = await slowWriter();
    clientStream(bench.channel).write("one").write("two").write("three").end();
    await bench.settle();
    await flush(bench);
    await flush(bench);
    await retryNow(bench);
    expect(bench.network.current).toMatchObject({ sentTexts: ["one"], isHalfClosed: false });

    await flush(bench);
    await flush(bench);

    expect(bench.network.current).toMatchObject({ sentTexts: ["one", "two", "three"], isHalfClosed: true });
  });

  it("closes no stream that the application has not closed", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const call = clientStream(bench.channel).write("one");
    await bench.settle();
    await retryNow(bench);
    expect(bench.network.current).toMatchObject({ sentTexts: ["one"], isHalfClosed: false });

    call.write("two").end();
    await bench.settle();

    expect(bench.network.current).toMatchObject({ sentTexts: ["one", "two"], isHalfClosed: true });
  });

  it("closes a stream on which nothing was written", async () => {
    const bench = await readyBench(IDEMPOTENT);
    clientStream(bench.channel).end();
    await bench.settle();

    await retryNow(bench);

    expect(bench.network.calls.map(({ sent, isHalfClosed }) => [sent.length, isHalfClosed])).toEqual([
      [0, true],
      [0, true],
    ]);
  });

  it("keeps the flags of each message", async () => {
    const bench = await readyBench(IDEMPOTENT);
    clientStream(bench.channel).write("one", 2).write("two").end();
    await bench.settle();

    await retryNow(bench);

    expect(bench.network.calls.map(({ flags }) => flags)).toEqual([
      [2, undefined],
      [2, undefined],
    ]);
  });

  it("takes in what was written while it waited for the retry", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const call = bidi(bench.channel).write("one");
    await bench.settle();
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.settle();

    call.write("two").end();
    await bench.advance(100);

    expect(bench.network.current).toMatchObject({ sentTexts: ["one", "two"], isHalfClosed: true });
  });

  it("begins to read only if the application had begun", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const call = bidi(bench.channel).write("one");
    await bench.settle();
    await retryNow(bench);
    expect(bench.network.current.readsAsked).toBe(0);

    call.read();
    await bench.settle();
    await retryNow(bench);

    expect(bench.network.calls.map(({ readsAsked }) => readsAsked)).toEqual([0, 1, 1]);
  });
});

describe("the writer's callbacks", () => {
  it("come once per message and in order, though a message is sent twice", async () => {
    const bench = await slowWriter();
    const call = clientStream(bench.channel).write("one").write("two");
    await bench.settle();
    await flush(bench);
    await retryNow(bench);

    for (let message = 0; message < 2; message++) await flush(bench);

    expect(call.flushed).toEqual(["one", "two"]);
  });

  it("wait until the message is on its way, which is the backpressure", async () => {
    const bench = await slowWriter();
    const call = clientStream(bench.channel).write("one").write("two");
    await bench.settle();

    call.write("three");
    await bench.settle();

    expect(call.flushed).toEqual([]);
    expect(bench.network.current.sentTexts).toEqual(["one"]);
  });

  it("that grpc-js calls twice, or late, are passed on once and move nothing", async () => {
    const bench = await slowWriter();
    const call = clientStream(bench.channel).write("one").write("two");
    await bench.settle();
    const [first] = bench.network.calls;
    first?.fail(status.UNAVAILABLE);
    await bench.settle();
    await bench.advance(250);

    first?.flush();
    await bench.settle();

    expect(call.flushed).toEqual([]);
    expect(bench.network.current.sentTexts).toEqual(["one"]);
  });

  it("of messages that were never sent come at the end of the call", async () => {
    const bench = await slowWriter();
    const call = clientStream(bench.channel).write("one").write("two").write("three");
    await bench.settle();

    call.cancel();
    await bench.settle();

    expect([...call.flushed].sort()).toEqual(["one", "three", "two"]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("come for what is written after the end, too", async () => {
    const bench = await readyBench();
    const call = bidi(bench.channel);
    await bench.settle();
    bench.network.current.fail(status.ABORTED);
    await bench.settle();

    call.write("late");
    await bench.settle();

    expect(call.flushed).toEqual(["late"]);
  });
});

describe("commitment", () => {
  it("R43: a client stream is retried as a whole while no headers have come", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const call = clientStream(bench.channel).write("one").write("two").end();
    await bench.settle();
    await retryNow(bench);

    bench.network.current.ok("sum");
    await bench.settle();

    expect(call.log).toEqual(["headers", "sum", "status"]);
  });

  it("R43: a server stream broken after headers is never resumed", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const call = serverStream(bench.channel);
    await bench.settle();
    call.flow();
    bench.network.current.headers();
    bench.network.current.message("row 1");

    bench.network.last("10.0.0.1:1").lose("read ECONNRESET");
    await bench.advance(60_000);

    expect(call.log).toEqual(["headers", "row 1", "status"]);
    expect(call.status).toMatchObject({ reason: "CONNECTION_LOST", processed: "yes" });
    expect(bench.network.calls).toHaveLength(1);
  });

  it("R43: a server stream that broke before headers is retried", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const call = serverStream(bench.channel);
    await bench.settle();
    call.flow();
    await retryNow(bench);

    bench.network.current.headers();
    for (const row of ["row 1", "row 2"]) bench.network.current.message(row);
    bench.network.current.okTrailers();
    await bench.settle();

    expect(call.log).toEqual(["headers", "row 1", "row 2", "status"]);
  });

  it("R14: comes with headers, and frees the buffer at once", async () => {
    const bench = await readyBench(IDEMPOTENT);
    bidi(bench.channel).write("one");
    await bench.settle();
    expect(bench.channel.stats().retryBufferBytes).toBe(3);

    bench.network.current.headers();

    expect(bench.channel.stats().retryBufferBytes).toBe(0);
  });

  it("R18: lets go of the messages that were sent", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const call = serverStream(bench.channel);
    await bench.settle();

    bench.network.current.headers();
    await bench.settle();

    expect(firstKept(call)).toBeUndefined();
  });
});
