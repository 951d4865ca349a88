import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { A, type ChannelBench, IDEMPOTENT, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";
import { clientStream, type TestCall } from "../support/test-call.js";

/** An idempotent call whose answer is here, but not its trailers. */
async function answered(options: object = {}): Promise<{ bench: ChannelBench; call: TestCall }> {
  const bench = await readyBench({ ...IDEMPOTENT, ...options });
  const call = await bench.unary();
  bench.network.current.headers();
  bench.network.current.message("cut off");
  await bench.settle();
  return { bench, call };
}

describe("the single answer of a call that may be repeated", () => {
  it("is held back until its status, and then comes whole and in order", async () => {
    const { bench, call } = await answered();
    expect(call.log).toEqual([]);

    bench.network.current.okTrailers();
    await bench.settle();

    expect(call.log).toEqual(["headers", "cut off", "status"]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("is fetched again when the connection is cut before its status, and comes once", async () => {
    const { bench, call } = await answered();

    bench.network.last(A).lose("read ECONNRESET");
    await bench.advance(2_000);
    bench.network.current.ok("whole");
    await bench.settle();

    expect(call.log).toEqual(["headers", "whole", "status"]);
    expect(call.status.code).toBe(status.OK);
    expect(bench.network.calls).toHaveLength(2);
  });

  it("is fetched again when the server falls silent before its status", async () => {
    const { bench, call } = await answered({ attemptTimeoutMs: 300 });

    await bench.advance(400);
    bench.network.current.ok("whole");
    await bench.settle();

    expect(call.log).toEqual(["headers", "whole", "status"]);
  });

  it("R14: is final when the server itself reports a failure after it", async () => {
    const { bench, call } = await answered();

    bench.network.current.failAfterHeaders(status.UNAVAILABLE, "late failure");
    await bench.settle();

    expect(call.status).toMatchObject({ details: "late failure", reason: "REMOTE", processed: "yes" });
    expect(bench.network.calls).toHaveLength(1);
  });

  it("leaves its mark on the certainty when no attempt succeeds: the server ran it", async () => {
    const { bench, call } = await answered({ attemptTimeoutMs: 300 });

    await bench.advance(10_000);

    expect(call.status).toMatchObject({ code: status.DEADLINE_EXCEEDED, processed: "yes" });
    expect(call.statuses).toHaveLength(1);
  });

  it("is dropped, and the wait for the next one ends, when the application cancels in between", async () => {
    const { bench, call } = await answered();
    bench.network.last(A).lose("read ECONNRESET");
    await bench.settle();

    call.cancel();
    await bench.settle();

    expect(call.status.code).toBe(status.CANCELLED);
    expect(call.messages).toEqual([]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("of a client stream is held, too, and the whole stream is sent again", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const call = clientStream(bench.channel).write("one").write("two").end();
    await bench.settle();
    bench.network.current.headers();
    bench.network.current.message("cut off");

    bench.network.last(A).lose("read ECONNRESET");
    await bench.advance(2_000);
    bench.network.current.ok("sum");
    await bench.settle();

    expect(bench.network.current.sentTexts).toEqual(["one", "two"]);
    expect(call.log).toEqual(["headers", "sum", "status"]);
  });
});

describe("the answer of a call that may not be repeated", () => {
  it("comes as it arrives, and a cut after it is the end", async () => {
    const bench = await readyBench();
    const call = await bench.unary();
    bench.network.current.headers();
    bench.network.current.message("answer");
    await bench.settle();
    expect(call.log).toEqual(["headers", "answer"]);

    bench.network.last(A).lose("read ECONNRESET");
    await bench.advance(2_000);

    expect(call.status).toMatchObject({ reason: "CONNECTION_LOST", processed: "yes" });
    expect(bench.network.calls).toHaveLength(1);
  });

  it("comes as it arrives where retries are off", async () => {
    const { call } = await answered({ retry: { maxAttempts: 1 } });

    expect(call.log).toEqual(["headers", "cut off"]);
  });
});
